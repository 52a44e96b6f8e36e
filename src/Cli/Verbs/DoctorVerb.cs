using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Failures;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Cli.Verbs;

/// <summary>
/// <c>fleet doctor</c>: examines the GPUs of this machine, or has a node examine its own, without touching them; or explains
/// the text of a failure.
/// </summary>
internal static class DoctorVerb
{
    private static readonly Option<string?> Explain = new("--explain")
    {
        Description =
            "Explain the text of a failure instead: a traceback, a log, a panic report (- for the standard input)",
        HelpName = "FILE",
    };

    private static readonly Argument<string?> Node = new("NODE")
    {
        Description = "Examine this node of the fleet instead of this machine; its agent does it",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>What <c>--explain --json</c> prints for each failure that is known.</summary>
    private sealed record Explanation(
        string Id,
        FailureClass Class,
        string Line,
        string Cause,
        FailureAction Action,
        string Fix,
        IReadOnlyList<string> Sources
    );

    public static Command Create()
    {
        var command = new Command("doctor", "Examine this machine's GPUs, drivers and compilers, and say what to fix")
        {
            Node,
            Explain,
        };
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet doctor                   status 0 where nothing failed, else 1",
            "./fleet doctor --json",
            "./fleet doctor mini              a node of the fleet, examined by its agent",
            "./fleet doctor --explain traceback.txt"
        );
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        if (parsed.GetValue(Explain) is { } file)
            return ExplainText(invocation.Console, await ReadAsync(file, cancellationToken));
        if (parsed.GetValue(Node) is { } node)
            return await NodeDoctor.RunAsync(invocation, node, cancellationToken);
        // Boot, self-test and memory of a GPU are a worker's to tell; none runs for this command.
        var home = new TinygradHome(invocation.Paths.Engines);
        var report = await LocalDoctor.ExamineAsync(
            null,
            home,
            home.WorkerSettings().Count > 0,
            invocation.Clock,
            cancellationToken
        );
        invocation.Console.Show(report, _ => Print(invocation.Console, report));
        return report.IsWell ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void Print(FleetConsole console, DoctorReport report) =>
        DoctorText.Print(
            console,
            [
                .. report.Checks.Select(check => new DoctorLine(
                    check.Id,
                    check.State.ToString().ToLowerInvariant(),
                    check.Seen,
                    check.Cause,
                    check.Fix
                )),
            ]
        );

    private static int ExplainText(FleetConsole console, string text)
    {
        var found = FailureTable
            .Classify(text)
            .Select(match => new Explanation(
                match.Signature.Id,
                match.Signature.Class,
                match.Line,
                match.Signature.Cause,
                match.Signature.Action,
                match.Signature.Fix,
                match.Signature.Sources
            ))
            .ToList();
        console.Show(found, _ => Print(console, found));
        return found.Count > 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void Print(FleetConsole console, List<Explanation> found)
    {
        if (found.Count == 0)
            console.Line("No failure that is known here is in that text.");
        foreach (var failure in found)
        {
            console.Line(failure.Line);
            console.Line($"  {failure.Cause}");
            console.Line($"  Fix: {failure.Fix}");
            console.Line($"  Seen in: {string.Join(", ", failure.Sources)}");
        }
    }

    private static async Task<string> ReadAsync(string file, CancellationToken cancellationToken)
    {
        if (file != "-" && !File.Exists(file))
        {
            throw new FleetFailure(
                $"There is no file {file}.",
                "Give the path of a text file, or - for the standard input.",
                ExitCodes.NotFound
            );
        }
        await using var stream = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        using var reader = new StreamReader(stream);
        var block = new char[Limits.ExplainedCharacters];
        return new string(block, 0, await reader.ReadBlockAsync(block, cancellationToken));
    }
}
