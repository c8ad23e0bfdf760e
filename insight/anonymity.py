"""k-anonymity: how few people a number may be about before it is not told.

An audience of few tells of each of them, and so does the difference of two numbers: with 100 people in a segment of
whom 98 agreed, the two who did not could be picked out. So a number below the floor is not told, and neither is one
whose complement, the rest of a whole that is told, is below it; zero tells of nobody.
"""

FLOOR = 20


def told(count: int, floor: int = FLOOR) -> int | None:
    """A number of people as it may be told; None below the floor. Zero is told."""
    return count if count == 0 or count >= floor else None


def told_parts(part: int, rest: int, floor: int = FLOOR) -> tuple[int | None, int | None]:
    """Two parts of a whole as they may be told: neither, where one of them is below the floor."""
    if told(part, floor) is None or told(rest, floor) is None:
        return None, None
    return part, rest
