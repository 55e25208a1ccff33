"""Does it help to check, repair and replan, and is unrelated work held up by planning?"""
