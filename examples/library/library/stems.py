"""Endings of English words."""

from __future__ import annotations

# Words that end in s without being plurals, as far as documentation uses them.
SINGULAR_ENDINGS = ("ss", "us", "is", "ous", "as")
SHORTEST_PLURAL = 4


def singular(word: str) -> str:
    """The singular of a lower-case noun, by its ending; other words as they are."""
    if len(word) < SHORTEST_PLURAL or not word.endswith("s"):
        return word
    if word.endswith(SINGULAR_ENDINGS):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


def syllables(word: str) -> int:
    """About how many syllables a lower-case word has: its groups of vowels, at least one."""
    groups = 0
    inside = False
    for letter in word:
        vowel = letter in "aeiouy"
        groups += vowel and not inside
        inside = vowel
    if word.endswith("e") and not word.endswith("le") and groups > 1:
        groups -= 1
    return max(groups, 1)
