"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

# Speed is measured in benchmarks: a busy machine must not fail a property. All else is as
# Hypothesis chooses it, which in continuous integration is to draw the same examples every time.
settings.register_profile("commonweal", parent=settings.default, deadline=None)
settings.load_profile("commonweal")

# A shell that starts this in the background lets it ignore Ctrl-C, and whatever it starts too; some
# tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
