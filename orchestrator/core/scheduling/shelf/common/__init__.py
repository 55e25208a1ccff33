"""What policies of the shelf share: rooms, turns, due dates, matching, static plans."""
