using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Engines;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet engine install tinygrad</c> and <c>fleet engine ls</c>: what engines need beside their workers.</summary>
internal static class EngineVerb
{
    private static readonly Argument<string> Name = new Argument<string>("NAME")
    {
        Description = "Engine; tinygrad is the one that has to be installed",
    }.AcceptOnlyFromAmong(TinygradSettings.Engine);

    private static readonly Option<string?> From = new("--from")
    {
        Description =
            $"Checkout of tinygrad at {TinygradSettings.PinnedCommit} to install from, with the system's numpy and no network",
        HelpName = "DIR",
    };

    /// <summary>One line of <c>fleet engine ls</c>.</summary>
    /// <param name="State">built_in, installed or not_installed.</param>
    /// <param name="Installed">What was installed, where it was.</param>
    private sealed record EngineLine(string Engine, string State, string? Folder, InstalledTinygrad? Installed);

    public static Command Create()
    {
        var install = new Command("install", "Make the environment of an engine, or finish or repair it")
        {
            Name,
            From,
        };
        install.SetAction(InstallAsync);
        var list = new Command("ls", "List the engines and whether they are installed");
        list.SetAction(List);
        var command = new Command("engine", "Install engines, and list them")
        {
            install.WithExamples(
                "./fleet engine install tinygrad                     fetch the pinned commit and numpy",
                "./fleet engine install tinygrad --from ~/tinygrad   from a checkout, without a network"
            ),
            list.WithExamples("./fleet engine ls", "./fleet engine ls --json"),
        };
        return command.WithExamples("./fleet engine install tinygrad", "./fleet engine ls");
    }

    private static async Task<int> InstallAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var home = new TinygradHome(invocation.Paths.Engines);
        var steps = new Steps(invocation.Console, invocation.Clock);
        var installed = await new TinygradInstaller(home, steps.Say, invocation.Clock).RunAsync(
            parsed.GetValue(From),
            cancellationToken
        );
        var line = new EngineLine(TinygradSettings.Engine, "installed", home.Folder, installed);
        invocation.Console.Show(line, _ => PrintInstalled(invocation.Console, line, steps.Elapsed));
        return ExitCodes.Ok;
    }

    private static void PrintInstalled(FleetConsole console, EngineLine line, TimeSpan elapsed)
    {
        console.Line();
        console.Line($"tinygrad is installed after {Format.Seconds(elapsed)}: {line.Folder}");
        console.Line("Agents of this data directory find it. GPUs take it by themselves; a CPU device does with");
        console.Line("  EGPUFLEET_CPU_ENGINE=tinygrad ./fleet up");
    }

    private static int List(ParseResult parsed)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var home = new TinygradHome(invocation.Paths.Engines);
        var installed = InstalledTinygrad.Read(home);
        List<EngineLine> lines =
        [
            new(LlamaCppSettings.Engine, "built_in", null, null),
            new(
                TinygradSettings.Engine,
                installed is null ? "not_installed" : "installed",
                installed is null ? null : home.Folder,
                installed
            ),
        ];
        invocation.Console.Show(lines, _ => Print(invocation.Console, lines));
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, List<EngineLine> lines)
    {
        console.Table(
            ["ENGINE", "STATE", "COMMIT", "PYTHON", "NUMPY", "SINCE", "FROM"],
            lines.Select(line =>
                (IReadOnlyList<string>)
                    [
                        line.Engine,
                        line.State.Replace('_', ' '),
                        line.Installed?.Commit ?? "-",
                        line.Installed?.Python ?? "-",
                        line.Installed?.Numpy ?? "-",
                        Format.Time(line.Installed?.InstalledAt),
                        line.Installed?.Source ?? "-",
                    ]
            )
        );
        if (lines.Exists(line => line.State == "not_installed"))
            console.Line("./fleet engine install tinygrad makes what is not installed.");
    }
}
