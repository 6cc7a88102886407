"""The demo: an orchestra that indexes a folder of text files, and answers questions about them.

It is written to be copied from: what a subsystem looks like, also one that blocks; how requests, signals and batches
are used; and how an embedding program opens an orchestra and ends it in order. To be read from `wiring` to `messages`
to the subsystems `walker`, `reader`, `tokenizer`, `index` and `reporter`, and then `program`::

    Walk -> walker -Found-> reader -Document-> tokenizer -Entry-> index -Indexed-> reporter -> Totals
              |                |                                    ^                  ^
              |                |                          Lookup ---'                  |
              `----------------`--------------------- Skipped -------------------------'
"""
