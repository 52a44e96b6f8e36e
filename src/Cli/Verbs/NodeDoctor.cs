using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet doctor NODE</c>: the node's agent examines its machine, and says what its workers died of.</summary>
internal static class NodeDoctor
{
    public static async Task<int> RunAsync(Invocation invocation, string node, CancellationToken cancellationToken)
    {
        var report = await invocation.Client.ExamineNodeAsync(node, cancellationToken);
        invocation.Console.Show(
            report,
            _ =>
                DoctorText.Print(
                    invocation.Console,
                    [
                        .. report.Checks.Select(check => new DoctorLine(
                            check.Device is null ? check.Id : $"{check.Device} {check.Id}",
                            check.State,
                            check.Seen,
                            check.Cause,
                            check.Fix
                        )),
                    ]
                )
        );
        return report.IsWell ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
