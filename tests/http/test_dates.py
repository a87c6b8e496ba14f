"""Dates in fields."""

from datetime import UTC, datetime
from email.utils import format_datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.dates import LAST, http_date, parse_date

NOW = 1_780_000_000  # in 2026
EXAMPLE = 784111777  # RFC 9110's own

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 (made UTC next)
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)


class Dates(SynchronousTestCase):
    def test_three_forms(self) -> None:
        """The three examples of RFC 9110 5.6.7 are the same second."""
        for form in (
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"Sunday, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov  6 08:49:37 1994",
        ):
            self.assertEqual(parse_date(form, NOW), EXAMPLE)
        self.assertEqual(http_date(EXAMPLE), b"Sun, 06 Nov 1994 08:49:37 GMT")

    def test_two_digits(self) -> None:
        """A year of two digits is never more than fifty years ahead."""
        for year, century in ((b"76", b"2076"), (b"77", b"1977"), (b"00", b"2000")):
            short = parse_date(b"Monday, 02-Feb-" + year + b" 00:00:00 GMT", NOW)
            self.assertEqual(short, parse_date(b"Mon, 02 Feb " + century + b" 00:00:00 GMT", NOW))
        late = 3_800_000_000  # in 2090
        short = parse_date(b"Monday, 02-Feb-10 00:00:00 GMT", late)
        self.assertEqual(short, parse_date(b"Mon, 02 Feb 2110 00:00:00 GMT", late))

    def test_no_dates(self) -> None:
        """What is in none of the forms, or no day there is, is no date."""
        for wrong in (
            b"",
            b"yesterday",
            b"784111777",
            b"Sun, 06 Nov 1994 08:49:37",
            b"Sun, 06 Nov 1994 08:49:37 UTC",
            b"Sun, 06 Nov 1994 08:49:37 +0000",
            b"Sun, 6 Nov 1994 08:49:37 GMT",
            b"sun, 06 nov 1994 08:49:37 gmt",
            b"Sun, 06 Nov 1994 24:00:00 GMT",
            b"Sun, 06 Nov 1994 08:60:37 GMT",
            b"Sun, 31 Nov 1994 08:49:37 GMT",
            b"Sun, 00 Nov 1994 08:49:37 GMT",
            b"Wed, 29 Feb 2023 00:00:00 GMT",
            b"Wed, 29 Feb 1900 00:00:00 GMT",
            b"Wed, 01 Jan 0000 00:00:00 GMT",
            b"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, ٠٦ Nov 1994 08:49:37 GMT".encode(),
        ):
            self.assertIs(parse_date(wrong, NOW), None, wrong)
        self.assertIsNotNone(parse_date(b"Thu, 29 Feb 2024 23:59:60 GMT", NOW))

    def test_bounds(self) -> None:
        """A time that cannot be written is the first or the last that can."""
        self.assertEqual(http_date(-5), b"Thu, 01 Jan 1970 00:00:00 GMT")
        self.assertEqual(http_date(1e18), http_date(LAST))

    @settings(deadline=None, max_examples=200)
    @given(INSTANTS)
    def test_against_the_library(self, moment: datetime) -> None:
        """Dates are read as the standard library writes them."""
        written = format_datetime(moment, usegmt=True).encode()
        self.assertEqual(parse_date(written, NOW), int(moment.timestamp()))
        if moment.timestamp() >= 0:
            self.assertEqual(http_date(moment.timestamp()), written)

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(max_size=40), st.text("SunNov0123456789:,- GMT").map(str.encode)))
    def test_never_raises(self, value: bytes) -> None:
        """Any bytes are a date or none."""
        parse_date(value, NOW)
