using System.Diagnostics;
using System.Text.Json;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Engines;
using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Cli.Tests;

/// <summary><c>fleet engine</c>: what it refuses, and that it makes, finds and repairs the environment of tinygrad.</summary>
public sealed class EngineTests
{
    private static readonly string? Checkout = Environment.GetEnvironmentVariable("EGPUFLEET_TINYGRAD");

    [Fact]
    public async Task Nothing_is_installed_in_a_new_data_directory()
    {
        using var data = new TemporaryFolder();

        var ending = await CommandProcess.RunAsync("engine", "ls", "--data", data.Path);

        Assert.Equal(0, ending.ExitCode);
        Assert.Contains("not installed", ending.Output, StringComparison.Ordinal);
        Assert.Contains("./fleet engine install tinygrad", ending.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_no_checkout_is_refused_with_the_command_that_makes_one()
    {
        using var data = new TemporaryFolder();

        var ending = await InstallAsync(data, data.Path);

        Assert.Equal(1, ending.ExitCode);
        Assert.Contains("is no checkout of tinygrad", ending.Error, StringComparison.Ordinal);
        Assert.Contains("git clone", ending.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_checkout_of_another_commit_is_refused_by_its_name()
    {
        using var data = new TemporaryFolder();
        var checkout = Directory.CreateDirectory(Path.Combine(data.Path, "checkout", "tinygrad")).Parent!.FullName;
        await File.WriteAllTextAsync(Path.Combine(checkout, "tinygrad", "tensor.py"), "", Token);
        await File.WriteAllTextAsync(Path.Combine(checkout, "pyproject.toml"), "name = \"tinygrad\"\n", Token);
        await GitAsync(checkout, "init", "--quiet");
        await GitAsync(
            checkout,
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "x"
        );

        var ending = await InstallAsync(data, checkout);

        Assert.Equal(1, ending.ExitCode);
        Assert.Contains("is at commit", ending.Error, StringComparison.Ordinal);
        Assert.Contains("checkout a9069c177", ending.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Python 3.9.6", "1.24.2", false, "no Python 3.11")]
    [InlineData("", "", false, "no Python 3.11")]
    [InlineData("Python 3.12.1", "", true, "has no numpy")]
    public void A_python_that_will_not_do_is_refused(string version, string numpy, bool needsNumpy, string said)
    {
        var trial = Trial(version, numpy);
        foreach (var isMac in (bool[])[true, false])
        {
            var refused = Assert.Throws<FleetFailure>(() => BasePython.Require(trial, needsNumpy, isMac));
            Assert.Contains(said, refused.Message, StringComparison.Ordinal);
            Assert.NotNull(refused.Action);
        }
    }

    [Fact]
    public void Without_a_checkout_numpy_is_fetched_with_tinygrad() =>
        Assert.Equal("/python3", BasePython.Require(Trial("Python 3.12.1", ""), needsNumpy: false, isMac: false));

    [Fact]
    public async Task It_installs_from_a_checkout_finds_it_done_and_repairs_what_was_broken_off()
    {
        Assert.SkipWhen(
            Checkout is null or "",
            "EGPUFLEET_TINYGRAD is not set; check out tinygrad at a9069c177 and set it to that folder"
        );
        using var data = new TemporaryFolder();

        var first = await InstallAsync(data, Checkout!);
        Assert.True(first.ExitCode == 0, first.Output + first.Error);
        Assert.All(["1/5", "2/5 making", "3/5", "4/5", "5/5"], phase => Assert.Contains(phase, first.Output));

        // As if it had been broken off: no marker, and a package that is not whole.
        var home = Assert.Single(Directory.GetDirectories(Path.Combine(data.Path, "engines"), "tinygrad-*"));
        File.Delete(Path.Combine(home, "installed.json"));
        var package = Assert.Single(
            Directory.GetDirectories(Path.Combine(home, "lib"), "tinygrad", SearchOption.AllDirectories)
        );
        File.Delete(Path.Combine(package, "tensor.py"));
        Directory.CreateDirectory(package + ".part");
        Assert.Contains("not installed", (await ListAsync(data)).Output, StringComparison.Ordinal);

        var second = await InstallAsync(data, Checkout!);
        Assert.True(second.ExitCode == 0, second.Output + second.Error);
        Assert.Contains("is there", second.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(package, "tensor.py")));
        Assert.False(Directory.Exists(package + ".part"));

        using var listed = JsonDocument.Parse((await ListAsync(data, "--json")).Output);
        var tinygrad = listed
            .RootElement.EnumerateArray()
            .Single(line => line.GetProperty("engine").GetString() == "tinygrad");
        Assert.Equal("installed", tinygrad.GetProperty("state").GetString());
        Assert.Equal("a9069c177", tinygrad.GetProperty("installed").GetProperty("commit").GetString());
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<CommandProcess.Ending> InstallAsync(TemporaryFolder data, string from) =>
        CommandProcess.RunAsync("engine", "install", "tinygrad", "--from", from, "--data", data.Path);

    private static Task<CommandProcess.Ending> ListAsync(TemporaryFolder data, params string[] more) =>
        CommandProcess.RunAsync(["engine", "ls", "--data", data.Path, .. more]);

    private static PythonTrial Trial(string version, string numpy) =>
        new(
            version.Length > 0 ? "/python3" : null,
            version.Length > 0 ? CommandText.Of(version) : CommandText.NotThere,
            numpy.Length > 0 ? CommandText.Of(numpy) : CommandText.NotThere
        );

    private static async Task GitAsync(string folder, params string[] arguments)
    {
        using var git = Process.Start("git", ["-C", folder, .. arguments]);
        await git.WaitForExitAsync(Token);
        Assert.Equal(0, git.ExitCode);
    }
}
