using CsCheck;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.NodeAgent.Devices;

namespace EgpuFleet.NodeAgent.Tests.Devices;

/// <summary>What becomes of devices as drivers find them, or not.</summary>
public sealed class HotPlugTests
{
    private static readonly DeviceDescription Gpu = Description("egpu0", "RX 7900 XTX");

    /// <summary>Any of three places, each with one of two cards in one of three conditions.</summary>
    private static readonly Gen<DeviceDescription[]> Found = Gen.Select(
            OneOf("egpu0", "gpu0", "gpu1"),
            OneOf("RX 7900 XTX", "RTX 3090"),
            OneOf(null, "not allowed", "not attached")
        )
        .Select((name, model, trouble) => Description(name!, model!, trouble))
        .Array[0, 4];

    private static readonly Gen<(DeviceDescription[] Found, bool Works)[]> History = Gen.Select(Found, Gen.Bool).Array[
        1,
        12
    ];

    [Fact]
    public void Every_device_goes_through_an_order_of_actions_that_can_be_carried_out() =>
        History.Sample(history =>
        {
            var plug = HotPlug.Nothing;
            var present = new Dictionary<string, bool>(StringComparer.Ordinal);
            foreach (var (found, works) in history)
            {
                (plug, var actions) = plug.Look(found, _ => works);
                Assert.Equal(actions.Count, actions.DistinctBy(action => action.Name).Count());
                foreach (var action in actions)
                {
                    var isKnown = present.TryGetValue(action.Name, out var isPresent);
                    switch (action)
                    {
                        case HotPlugAction.Appeared:
                            Assert.False(isKnown);
                            present[action.Name] = true;
                            break;
                        case HotPlugAction.Changed:
                            Assert.True(isKnown);
                            present[action.Name] = true;
                            break;
                        case HotPlugAction.Returned:
                            Assert.True(isKnown && !isPresent);
                            present[action.Name] = true;
                            break;
                        case HotPlugAction.Left:
                            Assert.True(isPresent);
                            present[action.Name] = false;
                            break;
                        case HotPlugAction.Doubted:
                            Assert.True(isPresent && works);
                            break;
                    }
                }
                foreach (var device in found)
                    Assert.True(present[device.Name]);
            }
        });

    [Fact]
    public void What_stays_as_it_is_needs_nothing_after_two_looks() =>
        Gen.Select(History, Found, Gen.Bool)
            .Sample(
                (history, last, works) =>
                {
                    var plug = history.Aggregate(
                        HotPlug.Nothing,
                        (known, one) => known.Look(one.Found, _ => one.Works).After
                    );
                    plug = plug.Look(last, _ => works).After.Look(last, _ => works).After;
                    var (after, actions) = plug.Look(last, _ => works);
                    Assert.Empty(actions);
                    Assert.Equal(plug.Seen, after.Seen);
                    Assert.Equal(
                        last.Select(device => device.Name).Distinct().Order(StringComparer.Ordinal),
                        after.Seen.Where(one => !one.Value.IsAbsent).Select(one => one.Key)
                    );
                }
            );

    [Fact]
    public void One_that_works_is_missed_twice_before_it_is_gone_and_another_once()
    {
        var plug = HotPlug.Nothing.Look([Gpu], _ => false).After;
        Assert.Equal([new HotPlugAction.Left("egpu0")], plug.Look([], _ => false).Actions);

        (plug, var actions) = plug.Look([], _ => true);
        Assert.Equal([new HotPlugAction.Doubted("egpu0")], actions);
        Assert.Empty(plug.Look([Gpu], _ => true).Actions);
        (plug, actions) = plug.Look([], _ => true);
        Assert.Equal([new HotPlugAction.Left("egpu0")], actions);
        Assert.Equal([new HotPlugAction.Returned(Gpu)], plug.Look([Gpu], _ => false).Actions);
    }

    [Fact]
    public void Another_card_in_the_place_is_not_the_one_that_left()
    {
        var other = Description("egpu0", "RTX 3090");
        var plug = HotPlug.Nothing.Look([Gpu], _ => true).After;
        Assert.Equal([new HotPlugAction.Changed(other, IsAnother: true)], plug.Look([other], _ => true).Actions);
        var refused = Description("egpu0", "RX 7900 XTX", "macOS waits for a person");
        Assert.Equal([new HotPlugAction.Changed(refused, IsAnother: false)], plug.Look([refused], _ => true).Actions);
    }

    private static Gen<string?> OneOf(params string?[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static DeviceDescription Description(string name, string model, string? trouble = null) =>
        new(
            name,
            DeviceKind.ExternalGpu,
            model,
            trouble is null ? DeviceState.Usable : DeviceState.Unusable,
            trouble,
            0,
            1 << 30,
            1 << 30
        );
}
