using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>What jobs that fit the same devices have in common, and those of them that wait.</summary>
internal sealed class Shape(JobKind kind, ModelRef? modelRef, DeviceChoice? devices, TrainNeeds? train = null)
{
    public JobKind Kind { get; } = kind;

    /// <summary>Null for a kind that needs no model.</summary>
    public ModelRef? ModelRef { get; } = modelRef;

    /// <summary>On what kind of device they may run; null: on any.</summary>
    public DeviceChoice? Devices { get; } = devices;

    /// <summary>Exactly of training runs.</summary>
    public TrainNeeds? Train { get; } = train;

    /// <summary>Null while the registry does not know it, and for a kind that needs none.</summary>
    public ModelRecord? Model { get; set; }

    public bool IsModelMissing => ModelRef is not null && Model is null;

    public ShapeQueue Queue { get; } = new();
}

/// <summary>The shapes of all jobs in memory; few, however many jobs.</summary>
internal sealed class ShapeTable
{
    private readonly Dictionary<(JobKind, ModelRef?, DeviceChoice?, TrainNeeds?), Shape> shapes = [];
    private readonly List<Shape> all = [];

    public IReadOnlyList<Shape> All => all;

    public Shape For(JobSpec spec) => For(spec.Kind, spec.Model, spec.Rules.Devices, TrainNeeds.Of(spec.Train));

    public Shape For(JobKind kind, ModelRef? model, DeviceChoice? devices, TrainNeeds? train)
    {
        if (shapes.TryGetValue((kind, model, devices, train), out var shape))
            return shape;
        shapes.Add((kind, model, devices, train), shape = new Shape(kind, model, devices, train));
        all.Add(shape);
        return shape;
    }
}
