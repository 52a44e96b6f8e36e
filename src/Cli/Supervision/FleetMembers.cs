using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Supervision;

/// <summary>Makes the members of a local fleet: how each process is started and what it is told.</summary>
internal sealed class FleetMembers(
    UpOptions options,
    FleetPaths paths,
    TimeProvider clock,
    Action<Member, string> report
) : IDisposable
{
    private readonly List<BoundedLog> _logs = [];

    public Member Silo() =>
        Make(
            "silo",
            Programs.Silo,
            [
                "--data",
                options.Data,
                "--port",
                options.Port.ToString(),
                "--expect-agents",
                string.Join(',', options.Nodes),
            ],
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["EGPUFLEET_SUPERVISED"] = "1" }
        );

    public Member Agent(string node) =>
        Make(
            node,
            Programs.NodeAgent,
            [
                "--data",
                paths.Agent(node),
                "--gateway",
                options.Url,
                "--node",
                node,
                "--threads",
                options.ThreadsPerAgent.ToString(),
                "--engine-data",
                paths.Engines,
                // One agent has the machine's GPUs; left to itself it lends all devices there are.
                .. node == options.Nodes[0] ? (string[])[] : ["--devices", "cpu0"],
            ],
            // An agent has no route to the database, not even by inheritance.
            new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["EGPUFLEET_SUPERVISED"] = "1",
                ["EGPUFLEET_POSTGRES"] = null,
            }
        );

    public void Dispose() => _logs.ForEach(log => log.Dispose());

    private Member Make(
        string name,
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment
    )
    {
        var log = new BoundedLog(paths.Log(name), clock);
        _logs.Add(log);
        return new Member(name, () => ChildProcess.Start(program, arguments, environment, log), clock, report);
    }
}
