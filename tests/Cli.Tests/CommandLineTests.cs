using System.Net;
using System.Net.Sockets;

namespace EgpuFleet.Cli.Tests;

/// <summary>Parsing and exit codes, by the real program.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task Without_arguments_it_names_every_verb()
    {
        var ending = await CommandProcess.RunAsync();

        Assert.Equal(0, ending.ExitCode);
        Assert.All(
            [
                "up",
                "down",
                "demo",
                "test",
                "bench",
                "submit",
                "tune",
                "jobs",
                "job",
                "cancel",
                "logs",
                "nodes",
                "devices",
                "models",
                "files",
                "finetune",
                "checkpoints",
                "engine",
                "doctor",
            ],
            verb => Assert.Contains($"  {verb}", ending.Output, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("up")]
    [InlineData("down")]
    [InlineData("demo")]
    [InlineData("test")]
    [InlineData("bench")]
    [InlineData("submit")]
    [InlineData("tune")]
    [InlineData("jobs")]
    [InlineData("job")]
    [InlineData("cancel")]
    [InlineData("logs")]
    [InlineData("nodes")]
    [InlineData("devices")]
    [InlineData("models")]
    [InlineData("files")]
    [InlineData("finetune")]
    [InlineData("checkpoints")]
    [InlineData("engine")]
    [InlineData("doctor")]
    public async Task Every_verb_has_help_with_examples_and_the_common_options(string verb)
    {
        var ending = await CommandProcess.RunAsync(verb, "--help");

        Assert.Equal(0, ending.ExitCode);
        Assert.All(
            ["Examples:", $"./fleet {verb}", "--data", "--url", "--json"],
            text => Assert.Contains(text, ending.Output, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("up", "--agents", "many")]
    [InlineData("up", "--port", "70000")]
    [InlineData("bench", "queue", "--runs", "0")]
    [InlineData("bench", "queue", "--only", "everything")]
    [InlineData("engine", "install")]
    [InlineData("engine", "install", "torch")]
    [InlineData("job")]
    [InlineData("jobs", "--state", "sleeping")]
    [InlineData("submit", "prompts.jsonl")]
    [InlineData("submit", "--model", "m")]
    [InlineData("submit", "--model", "m", "prompts.jsonl", "--prompt", "both")]
    [InlineData("submit", "--model", "m", "--prompt", "p", "--temperature", "3")]
    [InlineData("nodes", "--url", "ftp://host")]
    public async Task A_wrong_command_line_is_a_usage_error_and_says_where_help_is(params string[] arguments)
    {
        var ending = await CommandProcess.RunAsync(arguments);

        Assert.Equal(2, ending.ExitCode);
        Assert.Empty(ending.Output);
        Assert.NotEmpty(ending.Error);
        Assert.DoesNotContain("   at ", ending.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gateway_that_does_not_answer_says_how_to_start_one()
    {
        var url = $"http://127.0.0.1:{FreePort()}";

        var ending = await CommandProcess.RunAsync("nodes", "--url", url);

        Assert.Equal(1, ending.ExitCode);
        Assert.Equal([$"No fleet is running at {url}.", "Start one with ./fleet up."], Lines(ending.Error));
    }

    [Fact]
    public async Task Down_on_nothing_is_no_failure_and_makes_no_folder()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"egpufleet-none-{Guid.NewGuid():N}");

        var ending = await CommandProcess.RunAsync("down", "--data", folder);

        Assert.Equal(0, ending.ExitCode);
        Assert.Contains("No fleet is running", ending.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_busy_port_is_named_with_the_option_that_moves_it()
    {
        using var data = new TemporaryFolder();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var ending = await CommandProcess.RunAsync("up", "--data", data.Path, "--port", port.ToString());

        Assert.Equal(1, ending.ExitCode);
        Assert.Contains($"Port {port} ", ending.Error, StringComparison.Ordinal);
        Assert.Contains("--port", ending.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(data.Path, "fleet.json")));
    }

    [Fact]
    public async Task A_file_that_is_missing_is_not_found()
    {
        var model = await CommandProcess.RunAsync("models", "add", "m", "/no/such/model.gguf");
        var prompts = await CommandProcess.RunAsync("submit", "--model", "m", "/no/such/prompts.jsonl");

        Assert.Equal(3, model.ExitCode);
        Assert.Equal(3, prompts.ExitCode);
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
