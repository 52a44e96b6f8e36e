using EgpuFleet.Api;
using EgpuFleet.Dashboard.Text;

namespace EgpuFleet.Dashboard.Tests.Parts;

public sealed class ShowTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1536, "1.5 KB")]
    [InlineData(7_600_000, "7.2 MB")]
    [InlineData(24L << 30, "24 GB")]
    [InlineData(-5, "0 B")]
    [InlineData(long.MaxValue, "8192 PB")]
    public void Bytes(long bytes, string expected) => Assert.Equal(expected, Show.Bytes(bytes));

    [Theory]
    [InlineData(0.2, "less than 1 s")]
    [InlineData(59, "59 s")]
    [InlineData(200, "3 min 20 s")]
    [InlineData(7500, "2 h 5 min")]
    [InlineData(273_600, "3 d 4 h")]
    public void Spans(double seconds, string expected) =>
        Assert.Equal(expected, Show.Span(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void What_a_device_does_before_it_can_compute_is_one_line()
    {
        Assert.Equal(
            "Fetching big · 30 s · 1 GB of 4 GB · about 1 min 30 s left",
            Show.BringUp(new BringUpInfo("fetching big", 30, 1L << 30, 4L << 30, 90))
        );
        Assert.Equal(
            "Opening the device · 12 s",
            Show.BringUp(new BringUpInfo("opening the device", 12, null, null, null))
        );
    }

    [Fact]
    public void A_character_of_two_units_is_never_cut() => Assert.Equal("ab…", Show.Shorten("ab😀cd", 3));

    [Theory]
    [InlineData(1, 0, 0)]
    [InlineData(3, 2, 100)]
    [InlineData(-1, 2, 0)]
    public void A_percentage_stays_within_its_bar(double part, double whole, double expected) =>
        Assert.Equal(expected, Show.Percent(part, whole));
}
