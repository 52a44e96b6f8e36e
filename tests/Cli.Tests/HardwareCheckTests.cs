using System.Diagnostics;
using System.Text.Json.Nodes;
using EgpuFleet.TestKit;

namespace EgpuFleet.Cli.Tests;

/// <summary><c>fleet hardware-check</c> as its owner runs it, on this machine's processor.</summary>
public sealed class HardwareCheckTests
{
    /// <summary>What its figures cost is no affair of a test.</summary>
    private static readonly string[] WithoutSpeed = ["--without", "speed"];

    private static readonly string[] Short = ["--only", "cpu0", .. WithoutSpeed, "--minutes", "3"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_the_processor_llama_cpp_shows_all_it_has_and_the_report_tells_nobodys_name()
    {
        using var folder = new TemporaryFolder();

        var ending = await RunAsync(folder, "--engine", "llama.cpp");

        Assert.True(ending.ExitCode == 0, ending.Output + ending.Error);
        var (text, json) = await ReportAsync(folder);
        var target = Assert.Single(json["targets"]!.AsArray())!;
        AssertStatuses(
            target,
            ("discovery", "passed"),
            ("open", "passed"),
            ("self_test", "passed"),
            ("load", "passed"),
            ("tokens", "not_applicable"),
            ("cancel", "passed"),
            ("out_of_memory", "passed"),
            ("worker_killed", "passed"),
            ("reopen", "not_applicable"),
            ("speed", "not_run")
        );
        Assert.Equal("llama.cpp", (string?)target["engine"]);
        Assert.NotNull((string?)target["engine_version"]);
        Assert.Null(json["end"]);
        var hasGpu = (int)json["gpu_count"]! > 0;
        Assert.Equal(!hasGpu, text.Contains("No GPU was found: this is evidence for the CPU path only."));
        Assert.Equal(!hasGpu, ending.Error.Contains("No GPU was found"));
        Assert.Contains("left out by --without", text, StringComparison.Ordinal);
        AssertNobody(text);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.part"));
    }

    [Fact]
    public async Task On_the_processor_tinygrad_says_what_llama_cpp_says_and_comes_back_from_two_kills()
    {
        Assert.SkipWhen(
            Environment.GetEnvironmentVariable("EGPUFLEET_TINYGRAD") is null or "",
            "EGPUFLEET_TINYGRAD is not set; check out tinygrad at a9069c177 and set it to that folder"
        );
        using var folder = new TemporaryFolder();

        var ending = await RunAsync(folder, "--engine", "tinygrad");

        Assert.True(ending.ExitCode == 0, ending.Output + ending.Error);
        var (text, json) = await ReportAsync(folder);
        var target = Assert.Single(json["targets"]!.AsArray())!;
        AssertStatuses(
            target,
            ("discovery", "passed"),
            ("open", "passed"),
            ("self_test", "passed"),
            ("load", "passed"),
            ("tokens", "passed"),
            ("cancel", "passed"),
            ("out_of_memory", "passed"),
            ("worker_killed", "passed"),
            ("reopen", "passed"),
            ("speed", "not_run")
        );
        Assert.True((double)Item(target, "tokens")["figures"]!["certain_choices"]! > 0);
        AssertNobody(text);
    }

    [Fact]
    public async Task What_does_not_fit_the_time_is_not_run_and_what_is_stopped_is_kept()
    {
        using var folder = new TemporaryFolder();
        // With its figures, which are only made when all else has long been done: the signal must not come after the end.
        var start = CommandProcess.Start([.. Arguments(folder).Except(WithoutSpeed), "--engine", "llama.cpp"]);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(Token);
        while (await process.StandardError.ReadLineAsync(Token) is { } line)
        {
            if (line.Contains("passed", StringComparison.Ordinal))
                break;
        }
        using var signal = Process.Start("kill", ["-INT", $"{process.Id}"]);
        var rest = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);

        Assert.Equal(1, process.ExitCode);
        var (text, json) = await ReportAsync(folder);
        Assert.Equal("it was stopped", (string?)json["end"]);
        var items = json["targets"]![0]!["items"]!.AsArray();
        Assert.Equal("passed", (string?)items[0]!["status"]);
        Assert.Contains(items, item => ((string?)item!["seen"])!.Contains("stopped", StringComparison.Ordinal));
        Assert.DoesNotContain(items, item => (string?)item!["status"] == "failed");
        Assert.Contains("Not passed", await output + rest + text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_that_is_none_is_refused_before_anything_is_opened()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "none.gguf");
        await File.WriteAllTextAsync(file, "none", Token);

        var ending = await RunAsync(folder, "--model", file);

        Assert.Equal(3, ending.ExitCode);
        Assert.Contains("--model", ending.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder.Path, "hardware-check-*"));
    }

    private static Task<CommandProcess.Ending> RunAsync(TemporaryFolder folder, params string[] more) =>
        CommandProcess.RunAsync([.. Arguments(folder), .. more]);

    private static string[] Arguments(TemporaryFolder folder) =>
        ["hardware-check", .. Short, "--out", folder.Path, "--data", Path.Combine(folder.Path, "data")];

    private static async Task<(string Text, JsonNode Json)> ReportAsync(TemporaryFolder folder)
    {
        var path = Assert.Single(Directory.GetFiles(folder.Path, "hardware-check-*.md"));
        var text = await File.ReadAllTextAsync(path, Token);
        return (text, JsonNode.Parse(text.Split("```json\n")[1].Split("```")[0])!);
    }

    private static JsonNode Item(JsonNode target, string id) =>
        target["items"]!.AsArray().Single(item => (string?)item!["id"] == id)!;

    private static void AssertStatuses(JsonNode target, params (string Id, string Status)[] expected) =>
        Assert.Equal(
            expected,
            target["items"]!.AsArray().Select(item => ((string)item!["id"]!, (string)item["status"]!))
        );

    private static void AssertNobody(string text)
    {
        // A short one may be part of any word.
        if (Environment.MachineName.Length > 8)
            Assert.DoesNotContain(Environment.MachineName, text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Path.GetTempPath(), text, StringComparison.Ordinal);
        Assert.DoesNotContain(RepositoryPaths.Root, text, StringComparison.Ordinal);
        if (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 1 } home)
            Assert.DoesNotContain(home, text, StringComparison.Ordinal);
    }
}
