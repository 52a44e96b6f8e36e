using EgpuFleet.Api;
using EgpuFleet.Dashboard.Tests.Stub;

namespace EgpuFleet.Dashboard.Tests;

/// <summary>A fleet that fine-tunes, for the stub of the API.</summary>
public static class TrainingScene
{
    public const string Id = "ftjob-0199f3a26c7e7d10b3a85f2e914cd07b";
    public const string Job = "job_0199f3a26c7e7d10b3a85f2e914cd07b";
    public const string Result = "ft:tiny-stories:default:bard:914cd07b";

    private const int Steps = 400;

    public static StubFleet Training(long step = 220)
    {
        var fleet = new StubFleet { Nodes = [Samples.Node("studio")], Models = [Samples.Model("tiny-stories")] };
        var one = new StubTraining(Info(step));
        one.Say($"Created fine-tuning job: {Id}");
        one.Say("Runs on studio/egpu-0");
        one.Say("Before: \"Speak, citizen.\" -> \"The fleet has nine devices, and each of them\"");
        for (var at = 1; at <= step; at++)
            one.Step(at, Loss(at), at % 50 == 0 ? Loss(at) + 0.25 : null);
        one.Say("studio/egpu-0 stopped: The node went silent for 10 s.", "warn");
        one.Say("Goes on from the checkpoint of step 180.");
        one.Checkpoints = [.. new[] { 3, 2, 1 }.Select(number => Checkpoint(number))];
        fleet.Trainings = [one];
        fleet.Add(
            Samples.Job(Job, "running", 0, 1, TimeSpan.FromMinutes(4)) with
            {
                Kind = "train",
                Generation = null,
                Train = new TrainInfo(Id, "lora", 3, 4, 512, "file-1", "file-2", Result, null),
            },
            Samples.Event(1, "submitted", 240),
            Samples.Event(2, "started", 239),
            Samples.Event(3, "shard_started", 239, 0, "studio/egpu-0")
        );
        return fleet;
    }

    public static FineTuningJobInfo Info(long step)
    {
        var hyper = new FineTuningHyperparameters(3, 4, 1);
        return new FineTuningJobInfo(
            Id,
            "fine_tuning.job",
            Samples.Now.AddMinutes(-4).ToUnixTimeSeconds(),
            null,
            Samples.Now.AddMinutes(3).ToUnixTimeSeconds(),
            null,
            null,
            hyper,
            "tiny-stories",
            "default",
            [],
            "running",
            step * 1800,
            "file-1",
            "file-2",
            [],
            7,
            new FineTuningMethod("supervised", new SupervisedFineTuning(hyper)),
            null,
            "bard",
            new FineTuningExtras(
                Job,
                "running",
                null,
                "lora",
                16,
                32,
                ["attn_q"],
                512,
                1e-3,
                0,
                null,
                null,
                null,
                null,
                0,
                Result,
                step,
                Steps,
                new Dictionary<string, double>
                {
                    ["train_loss"] = Loss(step),
                    ["valid_loss"] = Loss(step) + 0.25,
                    ["tokens_per_second"] = 2_507,
                    ["learning_rate"] = 6.4e-4,
                },
                new Dictionary<string, string>()
            )
        );
    }

    /// <summary>Falls from about 8 to 2, and is not smooth.</summary>
    private static double Loss(long step) => 2 + (6 * Math.Exp(-step / 60.0)) + (0.12 * Math.Sin(step * 1.7));

    private static CheckpointInfo Checkpoint(int number) =>
        new(
            $"ckpt_0199f3a26c7e7d10b3a85f2e914cd0{number:00}",
            Job,
            0,
            1,
            "complete",
            number,
            number * 60,
            null,
            4_700_000,
            252,
            new Dictionary<string, double>
            {
                ["train_loss"] = Loss(number * 60),
                ["valid_loss"] = Loss(number * 60) + 0.25,
            },
            Samples.Now.AddSeconds(-50 * (4 - number))
        );
}
