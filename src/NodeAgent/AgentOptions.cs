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

    /// <summary>
    /// Memory that models may take on the CPU device; null: a share of the machine's. Several agents of one machine are told
    /// theirs.
    /// </summary>
    public required long? MemoryBytes { get; init; }

    /// <summary>Names of the devices that this agent lends; null: all there are. Of several agents of one machine one has its GPUs.</summary>
    public required IReadOnlySet<string>? Devices { get; init; }

    /// <summary>Name of the engine that drives the CPU device; one of <see cref="Devices.EnginePolicy.CpuEngines"/>.</summary>
    public required string CpuEngine { get; init; }

    /// <summary>Folder of the engines' worker executables; one subfolder per engine.</summary>
    public required string EngineDir { get; init; }

    /// <summary>Folder in which <c>fleet engine install</c> puts what an engine needs beside its worker.</summary>
    public required string EngineData { get; init; }

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

    public bool Lends(string device) => Devices is null || Devices.Contains(device);
}
