using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.Drivers.Mac;

public sealed class SystemExtensionsTests
{
    [Fact]
    public void A_row_parted_by_spaces_is_read()
    {
        var row = Assert.Single(SystemExtensions.Parse(Transcript.Of("Extensions/tinygpu-activated").Text));
        Assert.Equal(
            new SystemExtension(
                true,
                true,
                "9YG3G8543N",
                SystemExtensions.TinyGpu,
                "1.0.0/3",
                ExtensionState.Activated,
                "activated enabled"
            ),
            row
        );
    }

    [Theory]
    [InlineData("Extensions/lulu-tabs", "com.objective-see.lulu.extension", "2.3.0/2.3.0")]
    [InlineData("Extensions/crescendo-tabs", "com.suprhackersteve.crescendo.CrescendoExtension", "1.0.4/35")]
    public void A_row_parted_by_tabs_is_read(string name, string bundleId, string version)
    {
        var row = Assert.Single(SystemExtensions.Parse(Transcript.Of(name).Text));
        Assert.Equal((bundleId, version, ExtensionState.Activated), (row.BundleId, row.Version, row.State));
        Assert.True(row is { IsEnabled: true, IsActive: true });
    }

    [Fact]
    public void Of_two_rows_of_one_id_the_running_one_counts()
    {
        var rows = SystemExtensions.Parse(Transcript.Of("Extensions/two-rows-one-waiting").Text);
        Assert.Equal(2, rows.Count);
        Assert.True(rows[0] is { IsEnabled: false, IsActive: true, State: ExtensionState.WaitingForUser });
        Assert.Equal("1.13/1.13", SystemExtensions.Choose(rows, "com.google.santa.daemon")?.Version);
    }

    [Theory]
    [InlineData("Extensions/tinygpu-old-row-first", "1.0.0/3", ExtensionState.WaitingForUser)]
    [InlineData("Extensions/tinygpu-running-row-last", "1.0.0/3", ExtensionState.Activated)]
    public void An_old_row_does_not_hide_the_one_that_counts(string name, string version, ExtensionState state)
    {
        var row = SystemExtensions.Choose(SystemExtensions.Parse(Transcript.Of(name).Text), SystemExtensions.TinyGpu);
        Assert.Equal((version, state), (row?.Version, row?.State));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0 extension(s)")]
    [InlineData("enabled\tactive\tteamID\tbundleID (version)\tname\t[state]")]
    [InlineData("*\t*\tTEAM\tno-dot (1)\tname\t[activated enabled]")]
    [InlineData("]a.b(1)[")]
    [InlineData("(a.b)[x]")]
    public void What_is_no_row_is_none(string text) => Assert.Empty(SystemExtensions.Parse(text));

    [Theory]
    [InlineData("Extension is ready! Run tinygrad to use your eGPU.", TinyGpuStatus.Ready)]
    [InlineData("Extension awaiting approval.", TinyGpuStatus.AwaitingApproval)]
    [InlineData("Extension is activating...", TinyGpuStatus.Activating)]
    [InlineData("Driver extension not installed.", TinyGpuStatus.NotInstalled)]
    [InlineData("something else", TinyGpuStatus.Unknown)]
    public void The_apps_own_words_are_told_apart(string text, TinyGpuStatus status) =>
        Assert.Equal(status, TinyGpuStatusText.Parse(text + "\n"));

    [Theory]
    [InlineData("1.0.0/3", TinyGpuVersion.KnownGood)]
    [InlineData("1.0.0/2", TinyGpuVersion.KnownBad)]
    [InlineData("0.9.0/7", TinyGpuVersion.KnownBad)]
    [InlineData("1.0.1/1", TinyGpuVersion.Newer)]
    [InlineData("1.0.0", TinyGpuVersion.Unknown)]
    [InlineData("1.0.0.1/3", TinyGpuVersion.Unknown)]
    [InlineData("1.0.0/-3", TinyGpuVersion.Unknown)]
    [InlineData("", TinyGpuVersion.Unknown)]
    public void Versions_are_judged_against_the_one_that_is_known(string version, TinyGpuVersion verdict) =>
        Assert.Equal(verdict, TinyGpuVersions.Judge(version));
}
