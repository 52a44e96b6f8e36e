using System.Text.Json;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Measuring;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Workers;
using DeviceSpeed = EgpuFleet.Kernels.Measuring.DeviceSpeed;
using FleetSpeed = EgpuFleet.Grains.Interfaces.Fleet.DeviceSpeed;
using FleetWeights = EgpuFleet.Grains.Interfaces.Fleet.WeightKind;
using WeightKind = EgpuFleet.Kernels.Measuring.WeightKind;

namespace EgpuFleet.NodeAgent.Measuring;

/// <summary>What was measured of a device, kept in the agent's folder: a device is measured once for each engine and version.</summary>
/// <param name="path">The file; its folder exists once something is kept.</param>
internal sealed class SpeedBook(string path)
{
    private volatile Page page = Page.Read(path);

    /// <summary>As heartbeats tell it.</summary>
    public FleetSpeed[] Now => [.. page.Speeds.Select(ToFleet)];

    /// <summary>The kinds of weights measured of a device as it is now.</summary>
    /// <param name="subject">Engine, version, device: what the measurement is of.</param>
    public IReadOnlyList<WeightKind> KindsOf(string subject) =>
        page.Subject == subject ? [.. page.Speeds.Select(speed => speed.Kind)] : [];

    /// <summary>What the measurement of a device is of: engine, version, device.</summary>
    public static string SubjectOf(WorkerProcess worker, DeviceFacts facts) =>
        $"{worker.Client.Worker.Engine} {worker.Client.Worker.Version}, {facts.Name}, {facts.Threads} threads";

    /// <summary>Keeps one kind's measurement; that of another subject is dropped.</summary>
    public void Keep(string subject, DeviceSpeed speed)
    {
        var others = page.Subject == subject ? page.Speeds.Where(other => other.Kind != speed.Kind) : [];
        page = new Page(subject, [.. others.Append(speed).OrderBy(one => one.Kind)]);
        DataFolder.WritePrivate(path, JsonSerializer.Serialize(page, AgentJson.Options));
    }

    /// <summary>The fleet's word for a kind of weights.</summary>
    public static FleetWeights ToFleet(WeightKind kind) =>
        kind switch
        {
            WeightKind.Q4 => FleetWeights.Q4,
            WeightKind.Q8 => FleetWeights.Q8,
            WeightKind.F16 => FleetWeights.F16,
            _ => throw new InvalidOperationException($"The fleet has no word for weights of kind {kind}."),
        };

    private static FleetSpeed ToFleet(DeviceSpeed speed) =>
        new(
            ToFleet(speed.Kind),
            speed.StepSeconds,
            speed.BlockSeconds,
            speed.SecondsPerByte,
            speed.PromptSeconds,
            speed.PromptBlockSeconds,
            speed.SecondsPerFlop,
            speed.BatchGain,
            speed.LoadSecondsPerByte
        );

    /// <summary>The file's content.</summary>
    private sealed record Page(string Subject, IReadOnlyList<DeviceSpeed> Speeds)
    {
        private static readonly Page Empty = new("", []);

        public static Page Read(string path)
        {
            if (!File.Exists(path))
                return Empty;
            try
            {
                var page = JsonSerializer.Deserialize<Page>(File.ReadAllText(path), AgentJson.Options) ?? Empty;
                return page.Speeds.All(speed => speed is not null && Enum.IsDefined(speed.Kind)) ? page : Empty;
            }
            catch (JsonException)
            {
                // Not ours, or of another version: the device is measured again.
                return Empty;
            }
        }
    }
}
