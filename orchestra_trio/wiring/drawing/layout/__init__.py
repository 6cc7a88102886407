"""Where boxes and arrows go: in layers, one after the other (`layers`), in order (`order`), at places (`places`)."""
