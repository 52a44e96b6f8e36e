using System.Net;
using System.Net.Http.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>Notes of a run on their way to a gateway that is not always there.</summary>
public sealed class NoteOutboxTests
{
    private static readonly LeaseKey Lease = new(
        new ShardId(JobId.New(DateTimeOffset.UnixEpoch), 0),
        1,
        new DeviceId(new NodeId("node-1"), "cpu")
    );

    [Fact]
    public async Task All_that_was_said_before_is_taken_when_a_checkpoint_may_follow()
    {
        var gateway = new Gateway();
        await using var outbox = new NoteOutbox(
            new TrainingGateway(gateway, TimeProvider.System),
            Lease,
            TimeProvider.System
        );
        for (var step = 1; step <= 250; step++)
        {
            outbox.Say(step, "said");
            if (step % 50 != 0)
                continue;
            await outbox.TakenAsync();
            Assert.Equal(Enumerable.Range(1, step).Select(one => (long)one), gateway.Taken);
        }
    }

    [Theory]
    [InlineData("timeout")]
    [InlineData("refused")]
    [InlineData("unavailable")]
    public async Task A_gateway_that_does_not_answer_is_asked_again(string failure)
    {
        var gateway = new Gateway(failure);
        var outbox = new NoteOutbox(new TrainingGateway(gateway, new AdvancingTime()), Lease, TimeProvider.System);
        outbox.Say(1, "said");
        await gateway.Answered;
        await outbox.DisposeAsync();
        Assert.Equal([1], gateway.Taken);
    }

    [Fact]
    public async Task A_checkpoint_does_not_wait_for_ever()
    {
        var gateway = new Gateway("unavailable", failures: int.MaxValue);
        var time = new AdvancingTime();
        await using var outbox = new NoteOutbox(new TrainingGateway(gateway, time), Lease, time);
        outbox.Say(1, "said");
        await outbox.TakenAsync();
        Assert.Empty(gateway.Taken);
    }

    /// <summary>Fails so often, then takes what comes.</summary>
    private sealed class Gateway(string? failure = null, int failures = 3) : HttpMessageHandler, IHttpClientFactory
    {
        private readonly TaskCompletionSource answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int asked;

        public List<long> Taken { get; } = [];

        public Task Answered => answered.Task;

        public HttpClient CreateClient(string name) =>
            new(this, disposeHandler: false) { BaseAddress = new Uri("http://gateway") };

        protected override async Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (failure is not null && asked++ < failures)
                return Fail(failure);
            var body = await request.Content!.ReadFromJsonAsync<TrainingNotes>(TrainingJson.Options, cancellationToken);
            Taken.AddRange(body!.Notes.Select(note => note.Step));
            answered.TrySetResult();
            return new HttpResponseMessage(HttpStatusCode.NoContent);
        }

        private static HttpResponseMessage Fail(string how) =>
            how switch
            {
                "timeout" => throw new TaskCanceledException("No answer within the client's time."),
                "refused" => throw new HttpRequestException("Nobody is there."),
                _ => new HttpResponseMessage(HttpStatusCode.ServiceUnavailable),
            };
    }
}
