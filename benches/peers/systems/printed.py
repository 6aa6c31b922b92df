"""What a library's C code prints while it runs, line by line, each with the time at which it came.

Standard output becomes a terminal for that time, so that lines come when they are printed and not when a buffer is full.
"""
import os
import pty
import re
import threading
import time
import tty

COLOURS = re.compile(rb"\x1b\[[0-9;]*m")


class Printed:
    def __enter__(self):
        self.lines = []  # (perf_counter, text)
        self.kept = os.dup(1)
        self.reading, writing = pty.openpty()
        tty.setraw(writing)
        os.dup2(writing, 1)
        os.close(writing)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        return self

    def _read(self):
        rest = b""
        while True:
            try:
                chunk = os.read(self.reading, 1 << 16)
            except OSError:  # the last writer has closed it
                break
            if not chunk:
                break
            now = time.perf_counter()
            *whole, rest = (rest + chunk).split(b"\n")
            self.lines += [(now, COLOURS.sub(b"", line).decode(errors="replace")) for line in whole]

    def __exit__(self, *failure):
        os.dup2(self.kept, 1)
        os.close(self.kept)
        self.thread.join()
        os.close(self.reading)

    def text(self):
        return "\n".join(line for _, line in self.lines)
