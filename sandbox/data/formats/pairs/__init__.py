"""Lists of pairs, in every spelling that is met, and verification sets that hold their images (.bin)."""
