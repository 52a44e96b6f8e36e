using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.NodeAgent.Tests.Devices;

public sealed class NodeHealthTests
{
    private static readonly DoctorCheck Bad = DoctorCheck.Failed(
        "link",
        "the PCI link is down",
        "It dropped.",
        "Replug."
    );

    private static readonly DeviceFacts Gpu = new(
        new DeviceId(Leases.Node, "egpu0"),
        DeviceKind.ExternalGpu,
        "gpu",
        "tinygrad",
        0,
        1 << 30
    );

    private readonly FakeTimeProvider time = new();
    private readonly ChangeSignal changes = new();
    private DoctorReport report = new("macos", [Bad]);
    private int examinations;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_check_that_says_the_same_goes_on_since_then_and_news_raise_a_heartbeat()
    {
        using var health = Health();
        var first = await health.ExamineAsync([Gpu], Token);
        var began = time.GetUtcNow();
        Assert.Equal(("link", "egpu0", began), Told(Assert.Single(first.Conditions)));
        await changes.WaitAsync(Token);

        time.Advance(Limits.ExamineEvery);
        Assert.Equal(began, Assert.Single((await health.ExamineAsync([Gpu], Token)).Conditions).Since);

        time.Advance(Limits.ExamineEvery);
        report = new DoctorReport("macos", [Bad with { Seen = "the PCI link is down again" }]);
        Assert.Equal(time.GetUtcNow(), Assert.Single((await health.ExamineAsync([Gpu], Token)).Conditions).Since);
        // Of three examinations two brought news; the second of them is waiting here.
        await changes.WaitAsync(Token);
        Assert.False(changes.WaitAsync(Token).IsCompleted);
    }

    [Fact]
    public async Task Many_who_ask_at_once_are_answered_by_one_examination()
    {
        using var health = Health();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => health.ExamineAsync([], Token)));
        Assert.Equal(1, examinations);
        time.Advance(Limits.ExamineSpacing);
        await health.ExamineAsync([], Token);
        Assert.Equal(2, examinations);
    }

    [Fact]
    public async Task A_question_brings_the_next_examination_forward()
    {
        using var health = Health();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = health.RunAsync(() => [], stopping.Token);
        Assert.Equal(1, examinations);
        health.Ask();
        while (examinations < 2)
        {
            time.Advance(Limits.ExamineSpacing);
            await Task.Yield();
        }
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public void A_heartbeat_carries_what_is_wrong_within_its_bounds()
    {
        var all = NodeConditions.Of(
            new DoctorReport(
                "macos",
                [
                    DoctorCheck.Ok("apple_silicon", "yes"),
                    DoctorCheck.Skipped("link", "no GPU"),
                    DoctorCheck.Unknown("enclosure", "who knows"),
                    DoctorCheck.Unknown("firmware_cache", "empty", "Connect this Mac."),
                    .. Enumerable
                        .Range(0, 200)
                        .Select(i => Bad with { Id = $"check_{i}", Fix = new string('x', 9_999) }),
                ]
            ),
            [],
            [],
            time.GetUtcNow()
        );
        var carried = NodeConditions.NotInOrder(all);
        Assert.Equal(Limits.Conditions, carried.Count);
        Assert.Equal(["firmware_cache", "check_0"], carried.Take(2).Select(condition => condition.Id));
        Assert.All(carried.Skip(1), condition => Assert.Equal(Limits.TextCharacters, condition.Fix!.Length));
    }

    private static (string, string?, DateTimeOffset) Told(NodeCondition condition) =>
        (condition.Id, condition.Device, condition.Since);

    private NodeHealth Health() =>
        new(
            _ =>
            {
                Interlocked.Increment(ref examinations);
                return Task.FromResult(report);
            },
            time,
            changes,
            NullLogger<NodeHealth>.Instance
        );
}
