using System.Text.Json;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Engines;

/// <summary>
/// Makes the Python environment of the tinygrad engine, in phases that are each found done or done again: a run that was
/// broken off is taken up by the next. The marker is taken away first and written last, so that no agent uses half of it.
/// </summary>
internal sealed class TinygradInstaller(TinygradHome home, Action<string> say, TimeProvider clock)
{
    private const string Address = "https://github.com/tinygrad/tinygrad";

    private const string Numpy = "numpy>=1.24,<3";

    /// <summary>Imports from the environment, not from elsewhere, and compiles and runs a kernel.</summary>
    private const string Compute = """
        import os, sys, json
        os.environ["DEV"] = "CPU"
        import numpy, tinygrad
        home = os.path.realpath(sys.prefix)
        assert os.path.realpath(tinygrad.__file__).startswith(home + os.sep), tinygrad.__file__ + " is not in " + home
        assert (tinygrad.Tensor([1.0, 2.0, 3.0]) * 2).tolist() == [2.0, 4.0, 6.0], "the processor computed something else"
        print(json.dumps({"python": "%d.%d.%d" % sys.version_info[:3], "numpy": numpy.__version__}))
        """;

    private readonly HostCommand commands = new(clock);
    private readonly InstallTool tool = new(Path.Combine(home.EngineData, "install.log"), say, clock);

    /// <param name="from">A checkout to install from, without a network; null: the pinned commit is fetched.</param>
    /// <exception cref="FleetFailure">Something is missing or fails; says what to do.</exception>
    public async Task<InstalledTinygrad> RunAsync(string? from, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(home.EngineData, PrivateFile.FolderMode);
        await using var turn = TakeTurn();
        say("1/5 looking at Python, the compiler and the source");
        var trial = await TinygradPython.FindAsync(commands, cancellationToken);
        var python = BasePython.Require(trial, from is not null, OperatingSystem.IsMacOS());
        RequireTools(needsGit: from is null);
        var checkout = from is null ? null : await TinygradCheckout.OpenAsync(from, commands, cancellationToken);
        say($"    Python {trial.Version}, {python}; {Describe(checkout)}");

        if (home.IsInstalled)
            File.Delete(home.Marker);
        await MakeEnvironmentAsync(python, checkout is null, cancellationToken);
        if (checkout is null)
            await FetchAsync(cancellationToken);
        else
            await CopyAsync(checkout, cancellationToken);
        say("4/5 compiling and running the first kernel on the processor");
        var facts = await CheckAsync(cancellationToken);
        say("5/5 noting what was installed");
        var installed = new InstalledTinygrad(
            TinygradSettings.PinnedCommit,
            checkout?.Root ?? Address,
            facts.GetProperty("python").GetString()!,
            facts.GetProperty("numpy").GetString()!,
            clock.GetUtcNow()
        );
        installed.Write(home);
        return installed;
    }

    private static string Describe(TinygradCheckout? checkout) =>
        checkout is null ? $"tinygrad from {Address} at {TinygradSettings.PinnedCommit}"
        : checkout.Commit is { } commit
            ? $"tinygrad from {checkout.Root} at {commit[..TinygradSettings.PinnedCommit.Length]}"
        : $"tinygrad from {checkout.Root}, which is no repository: its commit is taken on trust";

    private FileStream TakeTurn()
    {
        try
        {
            return new FileStream(
                Path.Combine(home.EngineData, "install.lock"),
                FileMode.OpenOrCreate,
                FileAccess.ReadWrite,
                FileShare.None
            );
        }
        catch (IOException)
        {
            throw new FleetFailure($"Another install works in {home.EngineData}.", "Wait for it to end.");
        }
    }

    private static void RequireTools(bool needsGit)
    {
        if (HostCommand.Find("clang") is null)
        {
            throw new FleetFailure(
                "There is no clang, with which tinygrad compiles what it runs on the processor.",
                OperatingSystem.IsMacOS() ? "xcode-select --install" : "sudo apt-get install clang"
            );
        }
        if (needsGit && HostCommand.Find("git") is null)
        {
            throw new FleetFailure(
                "There is no git, with which tinygrad is fetched.",
                OperatingSystem.IsMacOS() ? "xcode-select --install" : "sudo apt-get install git, or pass --from DIR."
            );
        }
    }

    private async Task MakeEnvironmentAsync(string python, bool isOnline, CancellationToken cancellationToken)
    {
        if (await WorksAsync(isOnline, cancellationToken))
        {
            say($"2/5 the environment {home.Folder} is there");
            return;
        }
        say($"2/5 making the environment {home.Folder}");
        // Offline its packages are the system's and the checkout's: nothing has to be installed with pip.
        string[] how = isOnline ? [] : ["--system-site-packages", "--without-pip"];
        await tool.RunAsync(
            "making the environment",
            python,
            ["-m", "venv", "--clear", .. how, home.Folder],
            OperatingSystem.IsMacOS() ? "Try again." : "sudo apt-get install python3-venv",
            cancellationToken
        );
    }

    /// <summary>It runs, is an environment of its own, and of the kind that is wanted.</summary>
    private async Task<bool> WorksAsync(bool isOnline, CancellationToken cancellationToken)
    {
        var settings = Path.Combine(home.Folder, "pyvenv.cfg");
        if (!File.Exists(settings) || !File.Exists(home.Python))
            return false;
        var text = await File.ReadAllTextAsync(settings, cancellationToken);
        if (text.Contains("include-system-site-packages = true", StringComparison.Ordinal) == isOnline)
            return false;
        var what = isOnline ? "import pip" : "import numpy";
        var said = await commands.RunAsync(home.Python, ["-c", what], Limits.PythonTimeout, cancellationToken);
        return said.IsGood;
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        say("3/5 fetching numpy and tinygrad with pip");
        await tool.RunAsync(
            "fetching numpy and tinygrad",
            home.Python,
            [
                "-m",
                "pip",
                "install",
                "--disable-pip-version-check",
                "--progress-bar",
                "off",
                Numpy,
                $"tinygrad @ git+{Address}@{TinygradSettings.PinnedCommit}",
            ],
            "Look at the network and run it again, or pass --from DIR with a checkout.",
            cancellationToken
        );
    }

    private async Task CopyAsync(TinygradCheckout checkout, CancellationToken cancellationToken)
    {
        var packages = await commands.RunAsync(
            home.Python,
            ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
            Limits.PythonTimeout,
            cancellationToken
        );
        if (!packages.IsGood)
            throw new FleetFailure($"The new environment does not run: {packages.Trouble(home.Python)}.", "Try again.");
        var copy = new PackageCopy(checkout.Package, Path.Combine(packages.Text.Trim(), "tinygrad"));
        say($"3/5 copying tinygrad: {copy.Files} files");
        copy.Run((files, bytes) => say($"    {files} of {copy.Files} files, {Terminal.Format.Bytes(bytes)}"), clock);
    }

    private async Task<JsonElement> CheckAsync(CancellationToken cancellationToken)
    {
        var line = await tool.RunAsync(
            "compiling and running the first kernel",
            home.Python,
            ["-c", Compute],
            $"The log tells more: {Path.Combine(home.EngineData, "install.log")}",
            cancellationToken
        );
        try
        {
            using var facts = JsonDocument.Parse(line);
            return facts.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new FleetFailure($"The check ended without its figures: {line}", "Try again.");
        }
    }
}
