using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway.Native;

namespace EgpuFleet.Silo.Gateway.FineTuning.Estimate;

/// <summary>What a run wants of a device.</summary>
/// <param name="Tokens">To learn from in all.</param>
internal sealed record RunWish(
    TrainingMethod Method,
    string? Engine,
    DeviceClass? Require,
    int Rank,
    int RowTokens,
    int RowsPerPass,
    TrainingShape Shape,
    long Tokens
);

/// <summary>Each device of a fleet beside a run. Pure.</summary>
internal static class DeviceEstimates
{
    public static IReadOnlyList<DeviceEstimateInfo> Of(
        IReadOnlyList<NodeView> nodes,
        RunWish wish,
        IReadOnlyDictionary<DeviceId, double> paces
    )
    {
        ArgumentNullException.ThrowIfNull(nodes);
        return
        [
            .. nodes
                .SelectMany(node => node.Devices.Select(device => Of(node, device, wish, paces)))
                .OrderByDescending(one => one.Fits)
                .ThenBy(one => one.Seconds ?? double.MaxValue)
                .ThenBy(one => one.Device, StringComparer.Ordinal),
        ];
    }

    private static DeviceEstimateInfo Of(
        NodeView node,
        DeviceStatus device,
        RunWish wish,
        IReadOnlyDictionary<DeviceId, double> paces
    )
    {
        var facts = device.Facts;
        if (facts.TrainEngine is not { } engine)
            return new DeviceEstimateInfo(
                facts.Device.ToString(),
                null,
                false,
                "It does not train; ./fleet doctor tells what an engine lacks.",
                facts.MemoryBytes,
                null,
                0,
                null,
                null
            );
        var way = new TrainingWay(wish.Method, engine, wish.Rank, wish.RowTokens, wish.RowsPerPass);
        var needed = wish.Shape.MemoryBytes(way);
        double? pace = paces.TryGetValue(facts.Device, out var measured) ? measured : null;
        var reason = WhyNot(node, device, wish, needed);
        return new DeviceEstimateInfo(
            facts.Device.ToString(),
            engine,
            reason is null,
            reason,
            facts.MemoryBytes,
            needed,
            TrainableSize.Largest(facts.MemoryBytes, wish.Shape.StoredBits, way).Parameters,
            pace,
            pace is { } speed ? wish.Tokens / speed : null
        );
    }

    private static string? WhyNot(NodeView node, DeviceStatus device, RunWish wish, long needed)
    {
        var facts = device.Facts;
        if (wish.Engine is { } asked && asked != facts.TrainEngine)
            return $"It trains with {facts.TrainEngine}, not {asked}.";
        if (wish.Method == TrainingMethod.Full && facts.TrainEngine == TrainingShape.RecomputingEngine)
            return $"{facts.TrainEngine} trains adapters (method lora) only.";
        if (wish.Require is { } kind && !DeviceChoice.IsOf(kind, facts.Kind))
            return $"It is no device of the kind {DeviceWords.Of(kind)}.";
        if (needed > facts.MemoryBytes)
            return wish.Method == TrainingMethod.Full
                ? "It has too little memory: train an adapter (method lora), or fewer row_tokens."
                : "It has too little memory: train with fewer row_tokens or a smaller model.";
        var isHeard = node.State == NodeState.Ready;
        return isHeard && device.State == DeviceState.Ready
            ? null
            : $"It is {JobViews.Word(isHeard ? device.State : DeviceState.Offline)} now.";
    }
}
