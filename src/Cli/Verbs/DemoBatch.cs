using System.Security.Cryptography;
using System.Text.Json;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>demo --json</c> prints.</summary>
internal sealed record DemoResult(
    string Gateway,
    string Job,
    int Prompts,
    int Answers,
    double TokensPerSecond,
    IReadOnlyList<DeviceShards> Devices
);

/// <summary>The demo's work on a fleet that is ready.</summary>
internal sealed class DemoBatch(Invocation invocation, Steps steps)
{
    private const string Model = "tiny-fleet";
    private const int AnswersShown = 5;
    private const int MaxTokens = 48;

    private readonly FleetConsole _console = invocation.Console;
    private readonly FleetClient _client = invocation.Client;
    private readonly string _prompts = Path.Combine(Programs.Root, "samples", "prompts", "demo-200.jsonl");

    /// <summary>Whether every prompt has got an answer.</summary>
    public bool IsComplete { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await RegisterModelAsync(cancellationToken);
        var request = new JobRequest("batch", Model, new GenerationOptions(MaxTokens, Temperature: 0));
        var job = await JobSubmission.SendAsync(_client, request, () => File.OpenRead(_prompts), cancellationToken);
        steps.Say($"submitted {job.Items.Total} prompts as job {job.Id}");
        var view = new JobProgressView(_console, steps);
        var follower = new JobFollower(_client, invocation.Clock);
        var devices = await view.FollowAsync(follower, job.Id, cancellationToken);
        job = await _client.GetJobAsync(job.Id, cancellationToken);
        steps.Say($"the job {job.State}: {job.Items.Completed} of {job.Items.Total} prompts answered");

        var results = new List<ResultLine>();
        await foreach (var line in _client.ReadResultsAsync(job.Id, cancellationToken))
            results.Add(line);
        var answers = results.Where(line => line.Text is not null).DistinctBy(line => line.Index).ToList();
        var tokens = answers.Sum(line => line.Usage?.CompletionTokens ?? 0);
        var seconds = (job.FinishedAt - job.StartedAt)?.TotalSeconds ?? 0;
        var result = new DemoResult(
            invocation.Gateway.ToString().TrimEnd('/'),
            job.Id,
            job.Items.Total,
            answers.Count,
            seconds > 0 ? tokens / seconds : 0,
            devices
        );
        _console.Show(result, _ => Print(result, answers));
        IsComplete = job.State == "succeeded" && answers.Count == job.Items.Total;
    }

    private async Task RegisterModelAsync(CancellationToken cancellationToken)
    {
        var folder = Path.Combine(Programs.Root, "samples", "models");
        var file = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*.gguf").Order().FirstOrDefault()
            : null;
        if (file is null || !File.Exists(_prompts))
            throw new FleetFailure("The samples are missing from this checkout.", "Run: git checkout -- samples");
        await using var content = File.OpenRead(file);
        var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellationToken));
        var models = await _client.ListModelsAsync(cancellationToken);
        if (models.Data.Any(model => model.Name == Model && model.Sha256 == hash))
        {
            steps.Say($"the model {Model} is registered");
            return;
        }
        await ModelUpload.SendAsync(_client, _console, Model, new FileInfo(file), cancellationToken);
        steps.Say($"registered {Path.GetFileName(file)} as {Model} ({Format.Bytes(content.Length)})");
    }

    private void Print(DemoResult result, IReadOnlyList<ResultLine> answers)
    {
        var prompts = ReadPrompts();
        _console.Line();
        foreach (var answer in answers.Take(AnswersShown))
        {
            _console.Line($"  > {(answer.Index < prompts.Count ? prompts[answer.Index] : answer.CustomId)}");
            _console.Line($"    {OneLine(answer.Text!)}");
        }
        _console.Line();
        JobReport.PrintDevices(_console, result.Devices);
        _console.Line();
        _console.Line(
            $"{result.Answers} of {result.Prompts} answers, {result.TokensPerSecond:0} tokens/s over all devices."
        );
        _console.Line();
        _console.Line($"Dashboard:  {result.Gateway}/");
        _console.Line("Call it as any OpenAI client does:");
        _console.Line($"  curl {result.Gateway}/v1/chat/completions -H 'content-type: application/json' \\");
        _console.Line(
            $"    -d '{{\"model\":\"{Model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"What is a GPU?\"}}]}}'"
        );
        _console.Line("Look at the job, follow its log, read its results:");
        _console.Line($"  curl {result.Gateway}{Routes.Job(result.Job)}");
        _console.Line($"  curl -N {result.Gateway}{Routes.JobEvents(result.Job)}");
        _console.Line($"  curl {result.Gateway}{Routes.JobResults(result.Job)}");
        _console.Line();
    }

    private List<string> ReadPrompts() =>
        [
            .. File.ReadLines(_prompts)
                .Where(line => line.Length > 0)
                .Select(line => JsonSerializer.Deserialize<BatchLine>(line, ApiJson.Options))
                .Select(line => OneLine(line?.Prompt ?? line?.Messages?[^1].Content ?? "")),
        ];

    private static string OneLine(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
