"""What crosses the wire, and how it travels; knows neither side.

``types`` are the values both sides share, ``messages`` what they say to each other, ``a2a`` and
``extension`` the bytes' shape, ``codec`` the translation, ``inbox`` the guard against repeats and
``transport`` the ways to travel.
"""
