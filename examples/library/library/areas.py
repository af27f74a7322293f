"""The ten areas that the contracts ask about, and methods that look at one of them."""

from __future__ import annotations

from typing import Any

from library.base import WordMethod
from library.figures import rounded
from library.pages import Page, pages_of

# The top-level modules of each area, after the chapters of the library reference.
MEMBERS = {
    "PA01": "codecs difflib encodings re readline rlcompleter string stringprep struct textwrap",
    "PA02": "_collections_abc _py_abc _pydecimal abc bisect calendar collections colorsys copy "
    "copyreg dataclasses datetime decimal enum fractions functools graphlib heapq numbers "
    "operator pprint random reprlib statistics types weakref zoneinfo _strptime",
    "PA03": "_compression _pyio bz2 configparser csv dbm filecmp fileinput fnmatch genericpath "
    "glob gzip io linecache lzma netrc ntpath os pathlib pickle pickletools plistlib posixpath "
    "shelve shutil sqlite3 stat tarfile tempfile tomllib zipapp zipfile xdrlib",
    "PA04": "_threading_local argparse concurrent crypt ctypes getopt getpass gettext hashlib hmac "
    "locale logging multiprocessing optparse pipes platform pty queue sched secrets selectors "
    "signal subprocess threading tty",
    "PA05": "asynchat asyncio asyncore cgi cgitb ftplib http imaplib ipaddress nntplib poplib "
    "smtpd smtplib socket socketserver ssl telnetlib urllib uuid webbrowser wsgiref xmlrpc",
    "PA06": "_markupbase base64 email html json mailbox mailcap mimetypes quopri uu xml",
    "PA07": "aifc chunk cmd curses imghdr shlex sndhdr sunau tkinter turtle turtledemo wave",
    "PA08": "bdb cProfile doctest ensurepip pdb profile pstats pydoc timeit trace tracemalloc "
    "typing unittest venv",
    "PA10": "",
}
AREA_OF = {member: area for area, members in MEMBERS.items() for member in members.split()}
RUNTIME = "PA09"
LANGUAGE = "PA10"


def area_of(page: Page) -> str:
    """The area of a page: topics are the language, unlisted modules the runtime."""
    if page.kind == "topic":
        return LANGUAGE
    return AREA_OF.get(page.name.partition(".")[0], RUNTIME)


def area_text(text: str, sector_id: str) -> str:
    """The pages of one area, one after the other."""
    return "\n".join(page.body for page in pages_of(text) if area_of(page) == sector_id)


class AreaProfile(WordMethod):
    """What one area is about, against the whole text."""

    min_length = 4

    def __init__(self, smoothing: float = 0.5) -> None:
        self.smoothing = smoothing

    @rounded
    def terms(self, text: str, sector_id: str) -> dict[str, Any]:
        """The words whose share in the area is highest above their share in the text."""
        whole = self.counts(text)
        own = self.counts(area_text(text, sector_id))
        total, own_total = whole.total(), own.total()
        lift = {
            word: count * count * total / ((whole[word] + self.smoothing) * own_total)
            for word, count in own.items()
            if count > 2
        }
        return {"ranking": self.ranking(lift), "size": own_total, "share": own_total / total}
