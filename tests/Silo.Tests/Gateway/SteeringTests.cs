using System.Net;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Hold, release, pause, resume, cancel, and the reasons that a waiting job gives.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class SteeringTests(RunningSilo silo)
{
    [Fact]
    public async Task Holding_and_releasing_may_be_repeated()
    {
        var job = await SubmitAsync();

        foreach (var verb in (string[])["hold", "hold", "release", "release"])
        {
            var steered = await SteerAsync(job.Id, verb);
            Assert.Equal(verb == "hold" ? "held" : "queued", steered.State);
        }

        var log = await silo.Client.ListJobEventsAsync(job.Id, 0, TestContext.Current.CancellationToken);
        Assert.Equal(["submitted", "held", "released"], log.Data.Select(line => line.Type));
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task What_the_state_does_not_allow_is_a_conflict_that_names_it(string verb)
    {
        var job = await SubmitAsync();

        using var response = await silo.Http.PostAsync(
            Routes.JobVerb(job.Id, verb),
            null,
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.Conflict);
        Assert.Equal(("state_conflict", "queued"), (Answers.CodeOf(problem), (string?)problem["state"]));
    }

    [Fact]
    public async Task A_cancelled_job_can_only_be_cancelled_again()
    {
        var job = await SubmitAsync();
        await SteerAsync(job.Id, "hold");
        var cancelled = await SteerAsync(job.Id, "cancel");

        Assert.Equal(("cancelled", "cancelled"), (cancelled.State, cancelled.End?.Code));
        Assert.Equal(cancelled.End?.Message, cancelled.Failure);
        Assert.Equal("cancelled", (await SteerAsync(job.Id, "cancel")).State);
        foreach (var verb in (string[])["hold", "release", "pause", "resume"])
        {
            using var response = await silo.Http.PostAsync(
                Routes.JobVerb(job.Id, verb),
                null,
                TestContext.Current.CancellationToken
            );
            var problem = await response.ProblemAsync(HttpStatusCode.Conflict);
            Assert.Equal("cancelled", (string?)problem["state"]);
        }
    }

    [Theory]
    [InlineData("job_00000000000000000000000000000000")]
    [InlineData("x")]
    public async Task A_job_that_is_not_there_is_not_found(string id)
    {
        foreach (var verb in (string[])["hold", "release", "pause", "resume", "cancel"])
        {
            using var response = await silo.Http.PostAsync(
                Routes.JobVerb(id, verb),
                null,
                TestContext.Current.CancellationToken
            );
            await response.ProblemAsync(HttpStatusCode.NotFound);
        }
        using var why = await silo.Http.GetAsync(Routes.JobWhy(id), TestContext.Current.CancellationToken);
        await why.ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Steering_twice_at_once_does_no_harm()
    {
        var job = await SubmitAsync();

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(async i =>
                {
                    using var response = await silo.Http.PostAsync(
                        Routes.JobVerb(job.Id, i % 2 == 0 ? "hold" : "release"),
                        null,
                        TestContext.Current.CancellationToken
                    );
                    return response.StatusCode;
                })
        );

        Assert.All(answers, status => Assert.True(status is HttpStatusCode.OK or HttpStatusCode.Conflict));
        Assert.Contains(
            (await silo.Client.GetJobAsync(job.Id, TestContext.Current.CancellationToken)).State,
            (string[])["held", "queued"]
        );
    }

    [Fact]
    public async Task A_blocked_job_says_which_jobs_are_in_the_way_and_goes_on_when_they_end()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var first = await SubmitAsync();
        var second = await SubmitAsync();
        var waiting = await silo.Client.SubmitAsync(
            new JobRequest(
                "noop",
                Payload: "c",
                DependsOn: [new DependencyOptions(first.Id, "after_any"), new DependencyOptions(second.Id, "after_any")]
            ),
            null,
            cancellationToken
        );
        Assert.Equal("blocked", waiting.State);

        var why = await silo.Client.WhyAsync(waiting.Id, cancellationToken);
        await SteerAsync(first.Id, "cancel");
        var later = await silo.Client.WhyAsync(waiting.Id, cancellationToken);
        await SteerAsync(second.Id, "cancel");

        Assert.Equal([first.Id, second.Id], why.Reasons.Select(reason => reason.BlockingJobId));
        Assert.All(why.Reasons, reason => Assert.Equal("WaitingForDependency", reason.Code));
        Assert.Equal(second.Id, Assert.Single(later.Reasons).BlockingJobId);
        Assert.Equal("queued", await StateAfterAsync(waiting.Id, "unblocked"));
    }

    [Fact]
    public async Task A_job_whose_dependency_did_not_succeed_ends_and_says_so()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var first = await SubmitAsync();
        var waiting = await silo.Client.SubmitAsync(
            new JobRequest("noop", Payload: "b", DependsOn: [new DependencyOptions(first.Id)]),
            null,
            cancellationToken
        );

        await SteerAsync(first.Id, "cancel");

        Assert.Contains(await StateAfterAsync(waiting.Id, "cancelled", "failed"), (string[])["cancelled", "failed"]);
        var ended = await silo.Client.WhyAsync(waiting.Id, cancellationToken);
        Assert.Equal("dependency_failed", ended.End?.Code);
        Assert.Empty(ended.Reasons);
    }

    [Fact]
    public async Task Held_jobs_and_jobs_without_a_device_say_why()
    {
        var held = await SubmitAsync();
        await SteerAsync(held.Id, "hold");
        var queued = await SubmitAsync();

        var whyHeld = await silo.Client.WhyAsync(held.Id, TestContext.Current.CancellationToken);
        var whyQueued = await silo.Client.WhyAsync(queued.Id, TestContext.Current.CancellationToken);

        Assert.Equal(("held", "OnHold"), (whyHeld.State, Assert.Single(whyHeld.Reasons).Code));
        Assert.Contains(held.Id, Assert.Single(whyHeld.Reasons).Action, StringComparison.Ordinal);
        Assert.Equal(("queued", "NoMatchingDevice"), (whyQueued.State, Assert.Single(whyQueued.Reasons).Code));
    }

    /// <summary>The state once the job's log has one of these events.</summary>
    private async Task<string> StateAfterAsync(string id, params string[] events)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await foreach (var update in silo.Client.WatchJobAsync(id, null, cancellationToken))
        {
            if (update.Event is { } line && events.Contains(line.Type, StringComparer.Ordinal))
                break;
        }
        return (await silo.Client.GetJobAsync(id, cancellationToken)).State;
    }

    private Task<JobInfo> SubmitAsync() =>
        silo.Client.SubmitAsync(new JobRequest("noop", Payload: "a"), null, TestContext.Current.CancellationToken);

    private Task<JobInfo> SteerAsync(string id, string verb) =>
        silo.Client.SteerJobAsync(id, verb, TestContext.Current.CancellationToken);
}
