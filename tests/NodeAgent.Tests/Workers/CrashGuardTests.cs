using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.NodeAgent.Tests.Workers;

/// <summary>A machine that goes down while a GPU is open, again and again.</summary>
public sealed class CrashGuardTests : IDisposable
{
    private readonly TempFolder folder = new();

    private string File => folder.At("crashes.json");

    [Fact]
    public void Two_boots_in_a_row_that_end_with_the_gpu_open_trip_it_until_the_owner_forgives()
    {
        Boot("1").Opening("egpu0");
        var second = Boot("2");
        Assert.False(second.IsTripped("egpu0"));
        second.Opening("egpu0");
        var third = Boot("3");
        Assert.True(third.IsTripped("egpu0"));
        Assert.False(third.IsTripped("gpu0"));
        // Nothing is open, so there is nothing to close, and a restart of the agent or the machine forgives nothing.
        third.Closed("egpu0");
        Assert.True(Boot("3").IsTripped("egpu0"));
        Assert.True(Boot("4").IsTripped("egpu0"));
        Boot("4").Forgive("egpu0");
        Assert.False(Boot("5").IsTripped("egpu0"));
    }

    [Fact]
    public void A_gpu_that_was_closed_in_between_starts_from_nothing()
    {
        Boot("1").Opening("egpu0");
        var second = Boot("2");
        second.Opening("egpu0");
        second.Closed("egpu0");
        Boot("3").Opening("egpu0");
        Assert.False(Boot("4").IsTripped("egpu0"));
    }

    [Fact]
    public void An_agent_that_dies_while_the_machine_lives_is_no_crash()
    {
        for (var start = 0; start < 5; start++)
            Boot("1").Opening("egpu0");
        Assert.False(Boot("1").IsTripped("egpu0"));
        Assert.False(Boot("2").IsTripped("egpu0"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"egpu0\":")]
    [InlineData("[1,2]")]
    [InlineData("{\"egpu0\":{\"boot\":null}}")]
    public void A_file_that_a_crash_tore_is_no_reason_not_to_start(string torn)
    {
        System.IO.File.WriteAllText(File, torn);
        var guard = Boot("1");
        Assert.False(guard.IsTripped("egpu0"));
        guard.Opening("egpu0");
        Assert.Contains("egpu0", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private CrashGuard Boot(string boot) => new(File, boot, NullLogger<CrashGuard>.Instance);
}
