using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Kernels.Tests.Drivers;

public sealed class HostCommandTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_tool_that_is_not_there_is_an_answer()
    {
        Assert.Equal(CommandText.NotThere, await RunAsync("no-such-tool-of-egpufleet", Long));
        Assert.Equal(CommandText.NotThere, await RunAsync("/no/such/tool", Long));
        Assert.Equal("nvidia-smi is not there", CommandText.NotThere.Trouble("nvidia-smi"));
    }

    [Fact]
    public async Task What_a_tool_says_comes_with_its_status()
    {
        var said = await RunAsync("sh", Long, "-c", "echo out; echo err >&2; exit 3");
        Assert.Equal(new CommandText(CommandOutcome.Ran, "out\n", 3), said);
        Assert.False(said.IsGood);
    }

    [Fact]
    public async Task Arguments_reach_the_tool_as_they_are_without_a_shell() =>
        Assert.Equal("$HOME; `id` *\n", (await RunAsync("echo", Long, "$HOME; `id` *")).Text);

    [Fact]
    public async Task Output_is_bounded_and_the_tool_still_ends()
    {
        var said = await RunAsync("head", Long, "-c", "20000000", "/dev/zero");
        Assert.Equal(CommandOutcome.Ran, said.Outcome);
        Assert.Equal(Limits.CommandOutputBytes, said.Text.Length);
    }

    [Fact]
    public async Task A_tool_that_does_not_end_is_ended()
    {
        var said = await RunAsync("sh", TimeSpan.FromMilliseconds(300), "-c", "echo $$; sleep 600 & wait");
        Assert.Equal(CommandOutcome.TimedOut, said.Outcome);
    }

    [Fact]
    public async Task What_is_no_program_could_not_be_started()
    {
        var file = Path.GetTempFileName();
        try
        {
            Assert.Equal(CommandOutcome.NotStarted, (await RunAsync(file, Long)).Outcome);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_device_node_is_judged_without_opening_it()
    {
        Assert.Equal(new DeviceNode("/dev/null", true, true), HostFiles.Node("/dev/null"));
        Assert.Equal(new DeviceNode("/dev/no-such", false, false), HostFiles.Node("/dev/no-such"));
    }

    private static Task<CommandText> RunAsync(string tool, TimeSpan limit, params string[] arguments) =>
        new HostCommand(TimeProvider.System).RunAsync(tool, arguments, limit, TestContext.Current.CancellationToken);
}
