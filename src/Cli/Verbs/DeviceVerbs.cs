using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet device eject|attach|bench|clear NODE/DEVICE</c>.</summary>
internal static class DeviceVerbs
{
    private static readonly Argument<string> Id = new("NODE/DEVICE") { Description = "As ./fleet devices prints it" };

    public static Command Create()
    {
        var eject = new Command("eject", "Make a device safe to unplug: its work runs elsewhere, its worker ends")
        {
            Id,
        };
        eject.SetAction(EjectAsync);
        return new Command("device", "Do something with one GPU or CPU of the fleet")
        {
            eject.WithExamples("./fleet device eject mini/egpu0"),
            Order("attach", "Take an ejection back; plugging the device in again does the same"),
            DeviceBenchVerb.Create(),
            Order("clear", "End a quarantine or the guard against crash loops: what was wrong is mended"),
        }.WithExamples("./fleet device eject mini/egpu0", "./fleet device attach mini/egpu0");
    }

    private static Command Order(string verb, string description)
    {
        var command = new Command(verb, description) { Id };
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                using var invocation = new Invocation(parsed, TimeProvider.System);
                var id = IdOf(parsed);
                var device = await invocation.Client.OrderDeviceAsync(id, verb, cancellationToken);
                invocation.Console.Show(
                    device,
                    _ =>
                        invocation.Console.Line(
                            verb == "attach"
                                ? $"{id} may work again; it is tested first."
                                : $"{id} is tried again; it is tested first."
                        )
                );
                return ExitCodes.Ok;
            }
        );
        return command.WithExamples($"./fleet device {verb} mini/egpu0");
    }

    /// <summary>Says what the device still does until it is safe to unplug, or for as long as a person would wait.</summary>
    private static async Task<int> EjectAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var id = IdOf(parsed);
        var device = await invocation.Client.OrderDeviceAsync(id, "eject", cancellationToken);
        var started = invocation.Clock.GetTimestamp();
        var said = "";
        while (device.State != "ejected")
        {
            if (invocation.Clock.GetElapsedTime(started) > Limits.EjectTimeout)
            {
                throw new FleetFailure(
                    $"{id} is {device.State} and not ejected yet. Do not unplug it.",
                    "Look at it with ./fleet devices; the agent goes on ejecting it."
                );
            }
            var now = device.RunningShards.Count > 0 ? $"{device.RunningShards.Count} shards to give back" : "closing";
            if (now != said)
                invocation.Console.Line($"{id}: {device.State}, {now}");
            said = now;
            await Task.Delay(Limits.LookInterval, invocation.Clock, cancellationToken);
            device = await invocation.Client.GetDeviceAsync(id, cancellationToken);
        }
        invocation.Console.Show(device, _ => invocation.Console.Line($"{id} is safe to unplug."));
        return ExitCodes.Ok;
    }

    private static string IdOf(ParseResult parsed) => Checked(parsed.GetRequiredValue(Id));

    /// <exception cref="FleetFailure">It is no name of a device.</exception>
    public static string Checked(string id) =>
        id.Count(c => c == '/') == 1
            ? id
            : throw new FleetFailure($"'{id}' is not NODE/DEVICE.", "See ./fleet devices.", ExitCodes.Usage);
}
