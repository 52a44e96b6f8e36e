using EgpuFleet.Silo.Hosting;

namespace EgpuFleet.Silo.Tests.Hosting;

/// <summary>Names of control silos, and the scheduling settings that all of them share.</summary>
public sealed class SiloNameTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("egpufleet-names-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_silo_has_a_name_and_a_database_of_its_own_or_a_given_one()
    {
        Assert.Equal(("control-1", null), (Load().Name, Load().PostgresConnectionString));
        var given = Load("--name", "control-attic", "--postgres", "Host=db");
        Assert.Equal(("control-attic", "Host=db"), (given.Name, given.PostgresConnectionString));
    }

    [Theory]
    [InlineData("node-1")]
    [InlineData("control")]
    [InlineData("control-")]
    [InlineData("control-A")]
    [InlineData("control-1/cpu0")]
    public void A_name_that_could_be_a_node_s_is_refused(string name)
    {
        var error = Assert.Throws<StartupException>(() => Load("--name", name));

        Assert.Equal(ExitCodes.Usage, error.ExitCode);
        Assert.Contains("--name", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shorter_lease_shortens_what_is_measured_in_heartbeats()
    {
        File.WriteAllText(Path.Combine(folder, "fleet.toml"), "[scheduling]\nlease_seconds = 2\n");

        var scheduling = Load().Scheduling;

        Assert.Equal(
            (TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(1.4), TimeSpan.FromSeconds(0.8)),
            (scheduling.LeaseDuration, scheduling.SilentAfter, scheduling.UnlistedGrace)
        );
    }

    [Theory]
    [InlineData("lease_seconds = 0")]
    [InlineData("lease_seconds = 601")]
    [InlineData("lease_seconds = \"soon\"")]
    [InlineData("leese_seconds = 2")]
    public void A_wrong_scheduling_setting_is_a_usage_error(string line)
    {
        File.WriteAllText(Path.Combine(folder, "fleet.toml"), $"[scheduling]\n{line}\n");

        Assert.Equal(ExitCodes.Usage, Assert.Throws<StartupException>(() => Load()).ExitCode);
    }

    [Fact]
    public void What_is_over_is_kept_as_long_as_set()
    {
        File.WriteAllText(Path.Combine(folder, "fleet.toml"), "[retention]\nfinished_hours = 0.5\nkey_hours = 48\n");

        var retention = Load().Retention;

        Assert.Equal(
            (TimeSpan.FromMinutes(30), TimeSpan.FromDays(2)),
            (retention.FinishedJobs, retention.IdempotencyKeys)
        );
        Assert.Equal(TimeSpan.FromDays(90), retention.ArchivedJobs);
    }

    [Theory]
    [InlineData("finished_hours = -1")]
    [InlineData("finished_hours = \"long\"")]
    [InlineData("finished_days = 2")]
    public void A_wrong_retention_setting_is_a_usage_error(string line)
    {
        File.WriteAllText(Path.Combine(folder, "fleet.toml"), $"[retention]\n{line}\n");

        Assert.Equal(ExitCodes.Usage, Assert.Throws<StartupException>(() => Load()).ExitCode);
    }

    private SiloSettings Load(params string[] args) =>
        SiloSettings.Load(SiloCommand.Parse(["--data", folder, .. args]));
}
