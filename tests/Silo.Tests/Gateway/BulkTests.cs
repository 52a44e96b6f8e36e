using System.Globalization;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Bulk submit: an outcome for each line in order, names between lines, and one key for the whole.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class BulkTests(RunningSilo silo)
{
    [Fact]
    public async Task Every_line_has_its_outcome_in_order()
    {
        const int Lines = 2500;

        var outcomes = await silo.SubmitAsync(Bulk.Noops(Lines));

        Assert.Equal(Enumerable.Range(1, Lines), outcomes.Select(outcome => outcome.Line));
        Assert.All(outcomes, outcome => Assert.Equal((202, null), (outcome.Status, outcome.Error)));
        Assert.Equal(Lines, outcomes.Select(outcome => outcome.Id).Distinct().Count());
        var last = await silo.Client.GetJobAsync(outcomes[^1].Id!, TestContext.Current.CancellationToken);
        Assert.Equal(("noop", "queued"), (last.Kind, last.State));
    }

    [Fact]
    public async Task A_broken_line_is_refused_by_itself_and_blank_lines_only_count()
    {
        string[] lines =
        [
            Bulk.Noop(1),
            "",
            "not json",
            Bulk.Noop(4, ""","priority":101"""),
            """{"kind":"batch","model":"no-such-model","items":[{"prompt":"a"}]}""",
            """{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"},{"prompt":"b"}]}""",
            """{"kind":"noop","payload":"a","array":{"count":65}}""",
            "[]",
            Bulk.Noop(9, ""","hold":true"""),
        ];

        var outcomes = await silo.SubmitAsync(string.Join('\n', lines));

        string[] said =
        [
            "1: 202",
            "3: 422 invalid_json",
            "4: 422 invalid_request priority",
            "5: 422 model_not_found model",
            "6: 202",
            "7: 422 invalid_request array.count",
            "8: 422 invalid_json",
            "9: 202",
        ];
        Assert.Equal(said, outcomes.Select(Bulk.Said));
        Assert.Equal("held", (await JobAsync(outcomes[^1])).State);
    }

    [Fact]
    public async Task A_line_may_depend_on_earlier_lines_by_name_and_on_nothing_else()
    {
        string[] lines =
        [
            Bulk.Noop(1, ""","ref":"a" """),
            Bulk.Noop(2, ""","ref":"b","depends_on":[{"ref":"a","condition":"after_any"}]"""),
            Bulk.Noop(3, ""","ref":"c","depends_on":[{"ref":"a"},{"ref":"b"}]"""),
            Bulk.Noop(4, ""","ref":"d","depends_on":[{"ref":"d"}]"""),
            Bulk.Noop(5, ""","depends_on":[{"ref":"f"}]"""),
            Bulk.Noop(6, ""","ref":"f","depends_on":[{"ref":"nobody"}]"""),
            Bulk.Noop(7, ""","ref":"a" """),
            Bulk.Noop(8, ""","depends_on":[{"ref":"d"}]"""),
            Bulk.Noop(9, ""","depends_on":[{"ref":"a"},{"ref":"a"}]"""),
            Bulk.Noop(10, ""","depends_on":[{"job":"job_00000000000000000000000000000000"}]"""),
            Bulk.Noop(11, ""","ref":"" """),
        ];

        var outcomes = await silo.SubmitAsync(string.Join('\n', lines));

        string[] said =
        [
            "1: 202",
            "2: 202",
            "3: 202",
            "4: 422 invalid_request depends_on[0].ref",
            "5: 422 invalid_request depends_on[0].ref",
            "6: 422 invalid_request depends_on[0].ref",
            "7: 422 invalid_request ref",
            "8: 422 dependency_not_accepted depends_on[0].ref",
            "9: 422 invalid_request depends_on[1]",
            "10: 422 UnknownDependency depends_on",
            "11: 422 invalid_request ref",
        ];
        Assert.Equal(said, outcomes.Select(Bulk.Said));
        var third = await JobAsync(outcomes[2]);
        Assert.Equal("blocked", third.State);
        Assert.Equal([outcomes[0].Id, outcomes[1].Id], third.Rules!.DependsOn!.Select(one => one.Job));
        var second = await JobAsync(outcomes[1]);
        Assert.Equal("after_any", Assert.Single(second.Rules!.DependsOn!).Condition);
    }

    [Fact]
    public async Task A_chain_longer_than_a_chunk_is_accepted_whole()
    {
        const int Lines = 1200;
        var lines = Enumerable
            .Range(0, Lines)
            .Select(i =>
                Bulk.Noop(i, $$""","ref":"{{i}}" """ + (i == 0 ? "" : $$""","depends_on":[{"ref":"{{i - 1}}"}]"""))
            );

        var outcomes = await silo.SubmitAsync(string.Join('\n', lines));

        Assert.All(outcomes, outcome => Assert.Equal(202, outcome.Status));
        var last = await JobAsync(outcomes[^1]);
        Assert.Equal(outcomes[^2].Id, Assert.Single(last.Rules!.DependsOn!).Job);
    }

    [Fact]
    public async Task The_same_lines_under_the_same_key_are_the_same_jobs()
    {
        var key = Guid.NewGuid().ToString();
        var lines = Bulk.Noops(700);

        var first = await silo.SubmitAsync(lines, key);
        var second = await silo.SubmitAsync(lines, key);

        Assert.Equal(first.Select(outcome => outcome.Id), second.Select(outcome => outcome.Id));
        Assert.All(first, outcome => Assert.Null(outcome.Replayed));
        Assert.All(second, outcome => Assert.True(outcome.Replayed));
    }

    [Fact]
    public async Task A_changed_line_under_a_used_key_is_refused_and_the_others_are_replayed()
    {
        var key = Guid.NewGuid().ToString();
        string[] lines = [Bulk.Noop(1), Bulk.Noop(2), Bulk.Noop(3)];
        var first = await silo.SubmitAsync(string.Join('\n', lines), key);

        lines[1] = Bulk.Noop(20);
        var second = await silo.SubmitAsync(string.Join('\n', lines), key);

        Assert.Equal(["1: 202", "2: 422 idempotency_key_reused", "3: 202"], second.Select(Bulk.Said));
        Assert.Equal((first[0].Id, first[2].Id), (second[0].Id, second[2].Id));
    }

    [Fact]
    public async Task Lines_that_come_after_replayed_ones_depend_on_the_jobs_that_those_are()
    {
        var key = Guid.NewGuid().ToString();
        string Line(int i) =>
            Bulk.Noop(i, $$""","ref":"{{i}}" """ + (i == 0 ? "" : $$""","depends_on":[{"ref":"{{i - 1}}"}]"""));
        var first = await silo.SubmitAsync(string.Join('\n', Enumerable.Range(0, 3).Select(Line)), key);

        var second = await silo.SubmitAsync(string.Join('\n', Enumerable.Range(0, 6).Select(Line)), key);

        Assert.Equal(first.Select(outcome => outcome.Id), second.Take(3).Select(outcome => outcome.Id));
        Assert.All(second, outcome => Assert.Equal(202, outcome.Status));
        Assert.All(second.Skip(3), outcome => Assert.Null(outcome.Replayed));
        for (var i = 3; i < 6; i++)
            Assert.Equal(second[i - 1].Id, Assert.Single((await JobAsync(second[i])).Rules!.DependsOn!).Job);
    }

    [Fact]
    public async Task A_key_of_a_bulk_submit_is_no_key_of_single_ones()
    {
        var key = Guid.NewGuid().ToString("N");
        var outcome = Assert.Single(await silo.SubmitAsync(Bulk.Noop(1), key));
        var job = new JobRequest("noop", Payload: "payload 1");

        var same = await silo.Client.SubmitAsync(job, key, TestContext.Current.CancellationToken);
        var derived = await silo.Client.SubmitAsync(job, $"{key}:1", TestContext.Current.CancellationToken);

        Assert.Equal(3, new[] { outcome.Id, same.Id, derived.Id }.Distinct().Count());
    }

    [Fact]
    public async Task The_client_reads_outcomes_as_they_come()
    {
        using var lines = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Bulk.Noops(20)));
        var seen = new List<string>();

        await foreach (var outcome in silo.Client.SubmitBulkAsync(lines, null, TestContext.Current.CancellationToken))
            seen.Add(outcome.Line.ToString(CultureInfo.InvariantCulture));

        Assert.Equal(20, seen.Count);
    }

    private Task<JobInfo> JobAsync(BulkOutcome outcome) =>
        silo.Client.GetJobAsync(outcome.Id!, TestContext.Current.CancellationToken);
}
