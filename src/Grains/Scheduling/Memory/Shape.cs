using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>What jobs that fit the same devices have in common, and those of them that wait.</summary>
internal sealed class Shape(JobKind kind, ModelRef? modelRef)
{
    public JobKind Kind { get; } = kind;

    /// <summary>Null for a kind that needs no model.</summary>
    public ModelRef? ModelRef { get; } = modelRef;

    /// <summary>Null while the registry does not know it, and for a kind that needs none.</summary>
    public ModelRecord? Model { get; set; }

    public bool IsModelMissing => ModelRef is not null && Model is null;

    public ShapeQueue Queue { get; } = new();
}

/// <summary>The shapes of all jobs in memory; few, however many jobs.</summary>
internal sealed class ShapeTable
{
    private readonly Dictionary<(JobKind, ModelRef?), Shape> shapes = [];
    private readonly List<Shape> all = [];

    public IReadOnlyList<Shape> All => all;

    public Shape For(JobKind kind, ModelRef? model)
    {
        if (shapes.TryGetValue((kind, model), out var shape))
            return shape;
        shapes.Add((kind, model), shape = new Shape(kind, model));
        all.Add(shape);
        return shape;
    }
}
