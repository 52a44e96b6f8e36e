using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Noops;
using EgpuFleet.Kernels.Protocol;

namespace EgpuFleet.Kernels.Tests.Worker;

public sealed class NoopTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_worker_process_answers_with_the_digest_of_the_payload()
    {
        await using var worker = WorkerProcess.Start();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        string[] payloads = ["", "one", "zwölf Boxkämpfer", new string('x', 1_000_000)];
        client.Noops.Send([.. payloads.Select((payload, i) => new NoopWork(i, i, payload))]);
        foreach (var answer in await TakeAsync(answers, payloads.Length))
        {
            Assert.Null(answer.Error);
            Assert.Equal(answer.Lane, answer.Index);
            Assert.Equal(Digest(payloads[answer.Index]), answer.Sha256);
        }
    }

    [Fact]
    public async Task Every_lane_keeps_its_order_and_none_loses_or_repeats_a_noop()
    {
        const int Lanes = 64;
        const int Each = 200;
        await using var worker = WorkerProcess.Start();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        var lanes = Enumerable.Range(0, Lanes);
        await Parallel.ForEachAsync(
            lanes,
            Token,
            (lane, _) =>
            {
                foreach (var part in Enumerable.Range(0, Each).Chunk(17))
                    client.Noops.Send([.. part.Select(i => new NoopWork(lane, i, $"{lane}/{i}"))]);
                return default;
            }
        );
        var all = await TakeAsync(answers, Lanes * Each);
        foreach (var lane in all.GroupBy(answer => answer.Lane))
            Assert.Equal(Enumerable.Range(0, Each), lane.Select(answer => answer.Index));
        Assert.All(all, answer => Assert.Equal(Digest($"{answer.Lane}/{answer.Index}"), answer.Sha256));
    }

    [Fact]
    public async Task A_noop_that_takes_time_holds_up_its_own_lane_only_and_can_be_given_up()
    {
        const int Hour = 3_600_000;
        await using var worker = WorkerProcess.Start();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        client.Noops.Send([new(1, 0, "slow", Hour), new(1, 1, "behind it"), new(2, 0, "quick", 1)]);
        var quick = Assert.Single(await TakeAsync(answers, 1));
        Assert.Equal(2, quick.Lane);
        Assert.True(quick.DurationMilliseconds >= 1);

        client.Noops.Cancel([1]);
        client.Noops.Send([new(3, 7, "after")]);
        var after = Assert.Single(await TakeAsync(answers, 1));
        Assert.Equal((3, 7), (after.Lane, after.Index));
    }

    [Fact]
    public async Task Lanes_given_up_make_room_at_once()
    {
        await using var worker = WorkerProcess.Start();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        for (var round = 0; round < 50; round++)
        {
            long[] lanes = [.. Enumerable.Range(0, 64).Select(i => (long)((round * 64) + i))];
            client.Noops.Send([.. lanes.Select(lane => new NoopWork(lane, 0, "", 3_600_000))]);
            client.Noops.Cancel(lanes);
        }
        client.Noops.Send([new(-1, 0, "last")]);
        Assert.Equal(-1, Assert.Single(await TakeAsync(answers, 1)).Lane);
    }

    [Theory]
    [InlineData(NoopFault.Fail, EngineErrorClass.NoopFailed, false)]
    [InlineData(NoopFault.FailRetryable, EngineErrorClass.NoopInterrupted, true)]
    public async Task A_told_failure_is_typed_and_ends_its_lane(
        NoopFault fault,
        EngineErrorClass expected,
        bool retryable
    )
    {
        await using var worker = Faulty();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        client.Noops.Send([new(1, 0, "a", 0, fault), new(1, 1, "b"), new(2, 0, "c")]);
        var all = await TakeAsync(answers, 2);
        var failed = Assert.Single(all, answer => answer.Lane == 1);
        Assert.Equal(expected, failed.Error!.ErrorClass);
        Assert.Equal(retryable, failed.Error.Retryable);
        Assert.Null(failed.Sha256);
    }

    [Theory]
    [InlineData(NoopFault.Fail)]
    [InlineData(NoopFault.Crash)]
    [InlineData(NoopFault.Hang)]
    public async Task A_worker_that_was_not_told_to_obeys_no_fault(NoopFault fault)
    {
        await using var worker = WorkerProcess.Start();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        client.Noops.Send([new(1, 0, "a", 0, fault)]);
        var refused = Assert.Single(await TakeAsync(answers, 1));
        Assert.Equal(EngineErrorClass.NoopFaultsDisabled, refused.Error!.ErrorClass);
        Assert.False(refused.Error.Retryable);
        Assert.False(worker.Process.HasExited);
    }

    [Fact]
    public async Task A_crash_ends_the_process_by_signal_and_closes_the_connection()
    {
        const int KilledBySignal9 = 128 + 9;
        await using var worker = Faulty();
        await using var client = await worker.ConnectAsync(Token);
        client.Noops.Send([new(1, 0, "a", 0, NoopFault.Crash)]);
        Assert.False((await client.Closed.WaitAsync(Token)).Expected);
        await worker.Process.WaitForExitAsync(Token);
        Assert.Equal(KilledBySignal9, worker.Process.ExitCode);
    }

    [Fact]
    public async Task A_hanging_noop_harms_nobody_else()
    {
        await using var worker = Faulty();
        await using var client = await worker.ConnectAsync(Token);
        var answers = Answers(client);
        client.Noops.Send([new(1, 0, "a", 0, NoopFault.Hang), new(2, 0, "b")]);
        Assert.Equal(2, Assert.Single(await TakeAsync(answers, 1)).Lane);
        Assert.Equal(WorkerState.Ready, (await client.StatsAsync(Token)).State);
    }

    [Fact]
    public async Task More_lanes_than_any_agent_needs_end_the_connection_and_not_the_worker()
    {
        await using var worker = WorkerProcess.Start();
        await using (var client = await worker.ConnectAsync(Token))
        {
            var lanes = Enumerable.Range(0, Limits.NoopLanes + 1);
            client.Noops.Send([.. lanes.Select(lane => new NoopWork(lane, 0, "", 3_600_000))]);
            Assert.False((await client.Closed.WaitAsync(Token)).Expected);
        }
        await using var second = await worker.ConnectAsync(Token);
        Assert.True((await second.SelfTestAsync(Token)).Passed);
    }

    [Fact]
    public async Task A_payload_no_frame_can_hold_is_refused_before_it_is_sent()
    {
        await using var worker = WorkerProcess.Start();
        await using var client = await worker.ConnectAsync(Token);
        var tooLong = new NoopWork(1, 0, new string('x', Limits.NoopPayloadBytes + 1));
        var exception = Assert.Throws<EngineException>(() => client.Noops.Send([tooLong]));
        Assert.Equal(EngineErrorClass.InvalidRequest, exception.ErrorClass);

        var answers = Answers(client);
        client.Noops.Send([new(1, 0, "small"), new(2, 0, new string('x', Limits.NoopPayloadBytes))]);
        Assert.All(await TakeAsync(answers, 2), answer => Assert.Null(answer.Error));
    }

    private static WorkerProcess Faulty() =>
        WorkerProcess.Start(adjust: start => start.Environment[WorkerLaunch.NoopFaultsVariable] = "1");

    private static ChannelReader<NoopAnswer> Answers(WorkerClient client)
    {
        var answers = Channel.CreateUnbounded<NoopAnswer>();
        client.Noops.Answered = batch =>
        {
            foreach (var answer in batch)
                answers.Writer.TryWrite(answer);
        };
        return answers.Reader;
    }

    private static async Task<List<NoopAnswer>> TakeAsync(ChannelReader<NoopAnswer> answers, int count)
    {
        var taken = new List<NoopAnswer>(count);
        while (taken.Count < count)
            taken.Add(await answers.ReadAsync(Token));
        return taken;
    }

    private static string Digest(string payload) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(payload)));
}
