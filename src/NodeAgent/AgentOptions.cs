using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.NodeAgent;

/// <summary>What an agent is told; checked once, before anything starts.</summary>
public sealed class AgentOptions
{
    /// <summary>Folder that belongs to this agent alone: credential, ports, models, worker records.</summary>
    public required string Data { get; init; }

    /// <summary>Gateways of the control silos, at least one; any that answers will do.</summary>
    public required IReadOnlyList<Uri> Gateways { get; init; }

    /// <summary>This machine's id, and the name of its silo.</summary>
    public required NodeId Node { get; init; }

    /// <summary>CPU threads lent to the CPU device.</summary>
    public required int Threads { get; init; }

    /// <summary>Memory that models may take; null: a share of the machine's. Several agents of one machine are told theirs.</summary>
    public required long? MemoryBytes { get; init; }

    /// <summary>Folder of the engines' worker executables; one subfolder per engine.</summary>
    public required string EngineDir { get; init; }

    /// <summary>How long to wait for the gateway and for enrolment before giving up.</summary>
    public required TimeSpan JoinTimeout { get; init; }

    /// <summary>Disk that cached models may take together.</summary>
    public required long ModelCacheBytes { get; init; }

    /// <summary>Longest step of running generations on a device; one that lasts longer is a hang.</summary>
    public required TimeSpan StepTimeout { get; init; }

    /// <summary>Whether a new device is measured while it is idle.</summary>
    public required bool Measure { get; init; }

    /// <summary>Whether a parent process holds our standard input: its end ends us.</summary>
    public required bool Supervised { get; init; }
}
