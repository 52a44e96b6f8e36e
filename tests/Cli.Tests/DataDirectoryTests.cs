using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.Tests;

public sealed class DataDirectoryTests
{
    private static readonly Func<string, string?> Nothing = _ => null;

    [Fact]
    public void The_flag_wins_over_the_environment() =>
        Assert.Equal("/flag", Target.DataDirectory("/flag", _ => "/environment"));

    [Fact]
    public void The_environment_wins_over_the_default() =>
        Assert.Equal(
            "/environment",
            Target.DataDirectory(null, name => name == "EGPUFLEET_DATA" ? "/environment" : null)
        );

    [Fact]
    public void The_default_is_a_folder_of_the_users_applications()
    {
        var folder = Target.DataDirectory(null, Nothing);

        Assert.True(Path.IsPathRooted(folder));
        Assert.Equal("egpufleet", Path.GetFileName(folder), ignoreCase: true);
    }

    [Fact]
    public void The_gateway_is_the_flag_then_the_environment_then_the_running_fleet_then_the_default()
    {
        using var data = new TemporaryFolder();
        var self = ProcessIdentity.Of(Environment.ProcessId)!;
        Assert.Equal("http://127.0.0.1:4780/", Target.Gateway(null, data.Path, Nothing).ToString());

        var state = new FleetState("http://127.0.0.1:4999", 2, DateTimeOffset.UnixEpoch, null, self, []);
        FleetFile.Write(new FleetPaths(data.Path).FleetFile, state);
        Assert.Equal("http://127.0.0.1:4999/", Target.Gateway(null, data.Path, Nothing).ToString());
        Assert.Equal("http://e:1/", Target.Gateway(null, data.Path, _ => "http://e:1").ToString());
        Assert.Equal("http://f:1/", Target.Gateway("http://f:1", data.Path, _ => "http://e:1").ToString());
    }

    [Theory]
    [InlineData("ftp://host")]
    [InlineData("4780")]
    public void What_is_no_http_url_is_a_usage_error(string url)
    {
        var failure = Assert.Throws<FleetFailure>(() => Target.Gateway(url, "/nowhere", Nothing));

        Assert.Equal(ExitCodes.Usage, failure.ExitCode);
    }

    [Fact]
    public void The_fleet_file_is_private_and_reads_back()
    {
        using var data = new TemporaryFolder();
        var file = new FleetPaths(data.Path).FleetFile;
        var self = ProcessIdentity.Of(Environment.ProcessId)!;
        var state = new FleetState("http://127.0.0.1:1", 1, DateTimeOffset.UnixEpoch, null, self, [new("silo", self)]);

        FleetFile.Write(file, state);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        var read = FleetFile.Read(file)!;
        Assert.Equal(self, read.Supervisor);
        Assert.Equal(new FleetProcess("silo", self), Assert.Single(read.Processes));
    }

    [Fact]
    public void A_process_number_alone_is_no_identity()
    {
        var self = ProcessIdentity.Of(Environment.ProcessId)!;

        Assert.True(self.IsAlive);
        Assert.False((self with { Started = "earlier" }).IsAlive);
        Assert.False((self with { Started = "earlier" }).Signal(Native.SigKill));
    }

    [Fact]
    public void One_supervisor_a_directory()
    {
        using var data = new TemporaryFolder();
        var paths = new FleetPaths(data.Path);
        Assert.False(DataLock.IsHeld(paths));

        using (DataLock.TryTake(paths))
        {
            Assert.True(DataLock.IsHeld(paths));
            Assert.Null(DataLock.TryTake(paths));
        }
        Assert.False(DataLock.IsHeld(paths));
    }
}
