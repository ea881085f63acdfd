"""contrast: from which scale on does a technique help?"""
