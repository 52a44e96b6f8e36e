using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Fleet;

/// <summary>
/// The fleet as its heartbeats tell it, in memory only: a new leader knows a node from its next heartbeat on. A node is
/// silent after missed heartbeats, and offline once membership declares it dead or it says goodbye.
/// </summary>
internal sealed class FleetView(TimeSpan silentAfter)
{
    private readonly Dictionary<NodeId, Entry> nodes = [];
    private readonly Dictionary<DeviceId, (TimeSpan Until, int Times)> heldBack = [];

    private sealed class Entry
    {
        public required NodeFacts Facts { get; set; }
        public required IReadOnlyList<DeviceStatus> Devices { get; set; }
        public required IReadOnlyList<NodeCondition> Conditions { get; set; }
        public TimeSpan HeardAt { get; set; }
        public DateTimeOffset LastHeard { get; set; }
        public bool IsGone { get; set; }
    }

    /// <summary>Nodes heard of.</summary>
    public int Count => nodes.Count;

    /// <summary>Takes a heartbeat in.</summary>
    /// <param name="now">Elapsed time of the leader.</param>
    /// <param name="at">The same moment for people to read.</param>
    /// <returns>True when the agent is another incarnation than the one heard before.</returns>
    /// <exception cref="ArgumentException">The pool is full, or the heartbeat is not one to believe; see <see cref="HeartbeatRules"/>.</exception>
    public bool Hear(NodeHeartbeat heartbeat, TimeSpan now, DateTimeOffset at)
    {
        var node = heartbeat.Facts.Node;
        if (HeartbeatRules.WhatIsWrong(heartbeat) is { } wrong)
            throw new ArgumentException(wrong, nameof(heartbeat));
        var isRestart = false;
        if (nodes.TryGetValue(node, out var known))
            isRestart = known.Facts.Incarnation != heartbeat.Facts.Incarnation;
        else if (nodes.Count >= Limits.MaxNodes)
            throw new ArgumentException($"A pool has at most {Limits.MaxNodes} nodes.", nameof(heartbeat));
        nodes[node] = new Entry
        {
            Facts = heartbeat.Facts,
            Devices = heartbeat.Devices,
            Conditions = heartbeat.Conditions ?? [],
            HeardAt = now,
            LastHeard = at,
            IsGone = heartbeat.Leaving,
        };
        return isRestart;
    }

    /// <summary>Membership says that the node's agent is not there any more.</summary>
    public void Died(NodeId node)
    {
        if (nodes.TryGetValue(node, out var entry))
            entry.IsGone = true;
    }

    /// <summary>
    /// Gives a device no new shard for a while: twice as long each time in a row, up to 32 times the first. What happens while
    /// it is held back has the same cause, and changes nothing.
    /// </summary>
    public void HoldBack(DeviceId device, TimeSpan now, TimeSpan first)
    {
        var (until, times) = heldBack.GetValueOrDefault(device);
        if (now < until)
            return;
        heldBack[device] = (now + (first * (1 << times)), Math.Min(times + 1, 5));
    }

    /// <summary>The device has finished a shard: it is held back no more.</summary>
    public void Trust(DeviceId device) => heldBack.Remove(device);

    /// <summary>Every device as the planner sees it.</summary>
    public ImmutableArray<DeviceSlot> Slots(LeaseBook leases, TimeSpan now)
    {
        var slots = ImmutableArray.CreateBuilder<DeviceSlot>();
        foreach (var node in nodes.Values)
        {
            var isHeard = StateOf(node, now) == NodeState.Ready;
            foreach (var device in node.Devices)
                slots.Add(Slot(device, isHeard, leases, now));
        }
        return slots.ToImmutable();
    }

    /// <summary>Every node as people see it, by id.</summary>
    public IReadOnlyList<NodeView> Views(TimeSpan now) =>
        [
            .. nodes
                .Values.OrderBy(node => node.Facts.Node.Value, StringComparer.Ordinal)
                .Select(node => View(node, StateOf(node, now))),
        ];

    private DeviceSlot Slot(DeviceStatus device, bool isHeard, LeaseBook leases, TimeSpan now)
    {
        var id = device.Facts.Device;
        var load = leases.LoadOf(id);
        var noops = Math.Clamp(device.Facts.NoopSlots, 0, Limits.MaxNoopSlots);
        return new DeviceSlot(
            id,
            Ready: isHeard && device.State == DeviceState.Ready,
            Leased: load.Models > 0,
            HeldBack: heldBack.TryGetValue(id, out var hold) && now < hold.Until,
            device.TokensPerSecond,
            device.Facts.MemoryBytes,
            device.MemoryUsedBytes,
            [.. device.LoadedModels],
            device.ActiveSequences,
            noops,
            FreeNoopSlots: Math.Max(noops - load.Noops, 0),
            HasSuspect: load.Suspects > 0,
            device.Facts.Kind,
            device.Facts.Engine,
            [.. (device.Speeds ?? []).Take(Limits.SpeedsPerDevice)],
            [.. (device.Live ?? []).Take(Limits.LiveSpeedsPerDevice)],
            device.Facts.TrainEngine
        );
    }

    private static NodeView View(Entry node, NodeState state)
    {
        IReadOnlyList<DeviceStatus> devices =
            state == NodeState.Ready
                ? node.Devices
                :
                [
                    .. node.Devices.Select(device =>
                        device with
                        {
                            State = DeviceState.Offline,
                            Reason = state == NodeState.Silent ? "The node is not heard." : "The node has left.",
                        }
                    ),
                ];
        return new NodeView(node.Facts.Node, state, node.Facts, node.LastHeard, devices, node.Conditions);
    }

    private NodeState StateOf(Entry node, TimeSpan now)
    {
        if (node.IsGone)
            return NodeState.Offline;
        return now - node.HeardAt > silentAfter ? NodeState.Silent : NodeState.Ready;
    }
}
