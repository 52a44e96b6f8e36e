using System.Text;
using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>A small fine-tuning of the sample model: data made of a few words, and the fields of a request.</summary>
public static class SampleRequest
{
    private const int WordsPerLine = 30;

    private static readonly string[] Words =
    [
        "the",
        "a",
        "little",
        "old",
        "dog",
        "owl",
        "girl",
        "boy",
        "tree",
        "river",
        "went",
        "saw",
        "said",
        "found",
        "to",
        "and",
        "with",
        "home",
        "happy",
        "red",
        "big",
        "one",
        "day",
        "once",
        "upon",
        "time",
        "friend",
        "bird",
        "sun",
    ];

    /// <summary>Lines of training data, the same every time.</summary>
    public static byte[] Lines(int count)
    {
        var random = new Random(11);
        var lines = Enumerable
            .Range(0, count)
            .Select(_ =>
                string.Join(' ', Enumerable.Range(0, WordsPerLine).Select(_ => Words[random.Next(Words.Length)]))
            )
            .Select(text => JsonSerializer.Serialize(new { text }));
        return Encoding.UTF8.GetBytes(string.Join('\n', lines));
    }

    /// <summary>An adapter, seeded, over so many steps of 128 places.</summary>
    public static FineTuningRequest Of(string trainingFile, long steps, int checkpointSeconds) =>
        new(
            TrainingRig.Model,
            trainingFile,
            Seed: 7,
            Method: new FineTuningMethodOptions(
                "supervised",
                new SupervisedOptions(new HyperparameterOptions(NEpochs: 50, BatchSize: 1))
            ),
            Egpufleet: new FineTuningExtraOptions(
                Rank: 4,
                RowTokens: 128,
                LearningRate: 2e-3,
                MaxSteps: steps,
                CheckpointSeconds: checkpointSeconds
            )
        );
}
