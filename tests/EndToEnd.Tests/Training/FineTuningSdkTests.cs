using System.ClientModel;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI.FineTuning;

namespace EgpuFleet.EndToEnd.Tests.Training;

/// <summary>Shapes and errors of fine-tuning as the official .NET SDK reads them; nothing is trained.</summary>
public sealed class FineTuningSdkTests(SharedFleet shared)
{
    private const string Lines = "{\"text\":\"To be, or not to be\"}\n{\"text\":\"that is the question\"}\n";

    private readonly FineTuningRequest sdk = new(shared.Fleet.Http.BaseAddress!);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_are_listed_in_pages_read_paused_resumed_and_cancelled()
    {
        var file = await sdk.UploadAsync("sdk.jsonl", Encoding.UTF8.GetBytes(Lines), Token);
        var jobs = new List<FineTuningJob>();
        for (var i = 0; i < 3; i++)
            jobs.Add(await sdk.CreateAsync(Waiting(file), Token));

        var listed = new List<string>();
        await foreach (
            var job in sdk.FineTuning.GetJobsAsync(new FineTuningJobCollectionOptions { PageSize = 2 }, Token)
        )
        {
            listed.Add(job.JobId);
            if (listed.Count == 3)
                break;
        }
        Assert.Equal(jobs.Select(job => job.JobId).Reverse(), listed);

        var one = await sdk.FineTuning.GetJobAsync(jobs[0].JobId, Token);
        Assert.Equal((FineTuningStatus.Queued, SharedFleet.SampleModel), (one.Status, one.BaseModel));
        await one.UpdateStatusAsync(Token);

        Assert.Equal("held", await PhaseAsync(jobs[0], "pause"));
        Assert.Equal("queued", await PhaseAsync(jobs[0], "resume"));
        var told = new List<FineTuningEvent>();
        await foreach (var line in one.GetEventsAsync(new GetEventsOptions { PageSize = 1 }, Token))
            told.Add(line);
        Assert.True(told.Count >= 3, "Created, held and released are told of.");
        Assert.Equal(told.Count, told.Select(line => line.Id).Distinct().Count());
        await foreach (var checkpoint in one.GetCheckpointsAsync(new GetCheckpointsOptions { PageSize = 1 }, Token))
            Assert.Fail($"{checkpoint.Id} of a run that never began.");

        foreach (var job in jobs)
            await job.CancelAndUpdateAsync(Token);
        Assert.All(jobs, job => Assert.Equal(FineTuningStatus.Cancelled, job.Status));
    }

    /// <summary>As the README has it, with the SDK's own words alone.</summary>
    [Fact]
    public async Task A_job_is_made_of_a_file_and_the_name_of_a_model()
    {
        var file = await sdk.UploadAsync("readme.jsonl", Encoding.UTF8.GetBytes(Lines), Token);
        FineTuningJob job = await sdk.FineTuning.FineTuneAsync(
            SharedFleet.SampleModel,
            file,
            waitUntilCompleted: false,
            cancellationToken: Token
        );
        await job.CancelAndUpdateAsync(Token);
        Assert.Equal(SharedFleet.SampleModel, job.BaseModel);
    }

    [Theory]
    [InlineData("no-such", Lines, 404, "model_not_found")]
    [InlineData(SharedFleet.SampleModel, "{\"text\":\"a\"}\nnonsense\n", 400, "Line 2")]
    [InlineData(SharedFleet.SampleModel, "\n\n", 400, "The file has no samples")]
    public async Task What_cannot_be_trained_is_an_exception_that_says_why(
        string model,
        string lines,
        int status,
        string words
    )
    {
        var file = await sdk.UploadAsync("wrong.jsonl", Encoding.UTF8.GetBytes(lines), Token);
        var error = await Assert.ThrowsAsync<ClientResultException>(() =>
            sdk.CreateAsync(new { model, training_file = file }, Token)
        );
        Assert.Equal(status, error.Status);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ftjob-x")]
    [InlineData("ftjob-00000000000000000000000000000000")]
    [InlineData("../../api/v1/jobs")]
    [InlineData("ftjob-%00")]
    [InlineData("'; drop table job; --")]
    public async Task Hostile_ids_are_not_found(string id)
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(() => sdk.FineTuning.GetJobAsync(id, Token));
        Assert.InRange(error.Status, 400, 404);
    }

    /// <summary>No device of this fleet is of that kind, so that the job waits.</summary>
    private static object Waiting(string file) =>
        new
        {
            model = SharedFleet.SampleModel,
            training_file = file,
            egpufleet = new { require = "egpu" },
        };

    private async Task<string?> PhaseAsync(FineTuningJob job, string verb)
    {
        using var response = await shared.Fleet.Http.PostAsync($"/v1/fine_tuning/jobs/{job.JobId}/{verb}", null, Token);
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return (string?)JsonNode.Parse(text)!["egpufleet"]!["phase"];
    }
}
