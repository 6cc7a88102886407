"""The walker: finds the files under a folder."""

import os
from pathlib import Path

import attrs
import trio

from orchestra_trio import SubsystemContext
from orchestra_trio.cli.demo.messages import Found, Skipped, Stop, Walk

__all__ = ["Listing", "list_folder", "walk_folders"]


async def walk_folders(ctx: SubsystemContext[Walk, Found | Skipped, Stop]) -> None:
    """Walk through folders in jobs of their own, so that a Stop is heard in the middle of a walk."""
    stopping = trio.Event()
    async for incoming in ctx:
        match incoming:
            case Walk():
                ctx.start_soon(_walk, ctx, incoming, stopping)
            case Stop():
                stopping.set()


async def _walk(ctx: SubsystemContext[Walk, Found | Skipped, Stop], walk: Walk, stopping: trio.Event) -> None:
    await trio.lowlevel.checkpoint()  # in case that it is stopped before it has begun
    found = 0
    folders = [walk.folder]
    while folders and found != walk.limit and not stopping.is_set():
        listing = await trio.to_thread.run_sync(list_folder, folders.pop(), walk.ignored)
        folders.extend(reversed(listing.folders))
        await ctx.send_many(listing.skipped)
        for path in listing.files:
            if found == walk.limit or stopping.is_set():
                break
            await ctx.send(Found(path))  # waits while the reader has enough to do
            found += 1
    walk.reply.send(found)


@attrs.frozen
class Listing:
    """What lies directly in a folder, by name."""

    files: list[Path] = attrs.Factory(list[Path])
    folders: list[Path] = attrs.Factory(list[Path])
    skipped: list[Skipped] = attrs.Factory(list[Skipped])


def list_folder(folder: Path, ignored: frozenset[str] = frozenset()) -> Listing:
    """List a folder. Symbolic links are not followed, so that no walk goes in circles.

    Args:
        folder: Its path comes first in all paths of the listing.
        ignored: Names of folders to leave out.
    """
    listing = Listing()
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                _sort_in(entry, ignored, listing)
    except OSError as error:
        listing.skipped.append(Skipped(folder, error.strerror or "unreadable"))
    return listing


def _sort_in(entry: os.DirEntry[str], ignored: frozenset[str], listing: Listing) -> None:
    path = Path(entry)
    if not _is_unicode(path):
        listing.skipped.append(Skipped(path, "name is not Unicode"))
    elif entry.is_file(follow_symlinks=False):
        listing.files.append(path)
    elif entry.is_dir(follow_symlinks=False):
        if entry.name not in ignored:
            listing.folders.append(path)
    else:
        listing.skipped.append(Skipped(path, "symbolic link" if entry.is_symlink() else "not a regular file"))


def _is_unicode(path: Path) -> bool:
    """Tell whether the index can hold a path: on some systems, a name may be any bytes."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
