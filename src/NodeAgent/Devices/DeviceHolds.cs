using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Everything that keeps one device without a worker. Of several holds the weightiest rules, and each ends by itself.</summary>
internal sealed class DeviceHolds(Action<WorkerHold?> apply)
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<HoldKind, WorkerHold> holds = [];

    public bool Has(HoldKind kind)
    {
        lock (gate)
            return holds.ContainsKey(kind);
    }

    public void Add(WorkerHold hold)
    {
        lock (gate)
        {
            holds[hold.Kind] = hold;
            apply(holds.Values.First());
        }
    }

    public void Remove(HoldKind kind)
    {
        lock (gate)
        {
            if (holds.Remove(kind))
                apply(holds.Values.FirstOrDefault());
        }
    }
}
