using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet nodes</c> and <c>fleet devices</c>.</summary>
internal static class FleetVerbs
{
    public static Command CreateNodes()
    {
        var command = new Command("nodes", "List the machines of the fleet");
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var invocation = new Invocation(parsed, TimeProvider.System);
                var page = await invocation.Client.ListNodesAsync(cancellationToken);
                invocation.Console.Show(page, _ => PrintNodes(invocation.Console, page.Data));
                return ExitCodes.Ok;
            }
        );
        return command.WithExamples("./fleet nodes", "./fleet nodes --json");
    }

    public static Command CreateDevices()
    {
        var command = new Command("devices", "List the GPUs and CPUs of the fleet");
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var invocation = new Invocation(parsed, TimeProvider.System);
                var page = await invocation.Client.ListDevicesAsync(cancellationToken);
                invocation.Console.Show(page, _ => PrintDevices(invocation.Console, page.Data));
                return ExitCodes.Ok;
            }
        );
        return command.WithExamples("./fleet devices", "./fleet devices --json");
    }

    private static void PrintNodes(FleetConsole console, IReadOnlyList<NodeInfo> nodes) =>
        console.Table(
            ["NODE", "STATE", "HOST", "SYSTEM", "DEVICES", "LAST HEARD"],
            nodes.Select(node =>
                (IReadOnlyList<string>)
                    [
                        node.Id,
                        node.State,
                        node.HostName ?? "-",
                        $"{node.OperatingSystem} {node.Architecture}".Trim(),
                        string.Join(", ", node.Devices),
                        Format.Time(node.LastHeard),
                    ]
            )
        );

    private static void PrintDevices(FleetConsole console, IReadOnlyList<DeviceInfo> devices)
    {
        console.Table(
            ["DEVICE", "STATE", "KIND", "ENGINE", "THREADS", "MEMORY USED", "TOKENS/S", "MODELS", "RUNNING"],
            devices.Select(device =>
                (IReadOnlyList<string>)
                    [
                        device.Id,
                        device.State,
                        device.Kind,
                        device.Engine,
                        device.Threads.ToString(),
                        $"{Format.Bytes(device.MemoryUsedBytes)} of {Format.Bytes(device.MemoryBytes)}",
                        device.TokensPerSecond > 0 ? $"{device.TokensPerSecond:0.0}" : "-",
                        device.LoadedModels.Count > 0 ? string.Join(", ", device.LoadedModels) : "-",
                        device.RunningShards.Count.ToString(),
                    ]
            )
        );
        foreach (var device in devices.Where(device => device.Reason is not null))
            console.Line($"{device.Id}: {device.Reason}");
        foreach (var device in devices)
        {
            if (device.BringUp is { } bringUp)
                console.Line($"{device.Id}: {Words(bringUp)}");
        }
        PrintSpeeds(console, devices);
    }

    private static void PrintSpeeds(FleetConsole console, IReadOnlyList<DeviceInfo> devices)
    {
        if (devices.All(device => device.Speeds is not { Count: > 0 }))
            return;
        console.Line("");
        console.Table(
            ["MEASURED", "WEIGHTS", "DECODE GB/S", "PROMPT TFLOP/S", "US/BLOCK", "8 SEQUENCES OVER 1"],
            devices.SelectMany(device =>
                (device.Speeds ?? []).Select(speed =>
                    (IReadOnlyList<string>)
                        [
                            device.Id,
                            speed.Weights,
                            speed.BytesPerSecond is { } bytes ? $"{bytes / 1e9:0.0}" : "-",
                            speed.FlopsPerSecond is { } flops ? $"{flops / 1e12:0.000}" : "-",
                            $"{speed.BlockSeconds * 1e6:0}",
                            $"{speed.BatchGain:0.0}",
                        ]
                )
            )
        );
    }

    /// <summary><c>fetching big: 30 s, 1.0 GiB of 4.0 GiB, about 90 s left</c></summary>
    internal static string Words(BringUpInfo bringUp)
    {
        var bytes = bringUp is { DoneBytes: { } done, TotalBytes: { } total }
            ? $", {Format.Bytes(done)} of {Format.Bytes(total)}"
            : "";
        var left = bringUp.LeftSeconds is { } seconds ? $", about {Math.Ceiling(seconds):0} s left" : "";
        return $"{bringUp.Phase}: {bringUp.ElapsedSeconds:0} s{bytes}{left}";
    }
}
