using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Tests.Training;

/// <summary>Notes of agents are believed only in bounds.</summary>
public sealed class TrainingNoteRulesTests
{
    [Fact]
    public void Good_ones_are_taken()
    {
        Assert.Null(TrainingNoteRules.WhatIsWrong([Figures(("train_loss", 1e-300)), Words("Begun.")]));
    }

    [Fact]
    public void Others_are_refused()
    {
        TrainingNote?[] wrong =
        [
            null,
            Words("Begun.") with
            {
                Step = -1,
            },
            Words("Begun.") with
            {
                Kind = (TrainingNoteKind)7,
            },
            Words(""),
            Words("a\0b"),
            Words(new string('x', Limits.NoteCharacters + 1)),
            Words("Begun.") with
            {
                Metrics = new Dictionary<string, double> { ["a"] = 1 },
            },
            Figures(),
            Figures(("train_loss", double.NaN)),
            Figures(("train_loss", double.PositiveInfinity)),
            Figures(("Train Loss", 1)),
            Figures(("", 1)),
            Figures((new string('a', Limits.MetricNameCharacters + 1), 1)),
            Figures([.. Enumerable.Range(0, Limits.MetricsPerNote + 1).Select(i => ($"m{i}", 1.0))]),
            Figures(("a", 1)) with
            {
                Text = "and words",
            },
        ];
        Assert.All(wrong, note => Assert.NotNull(TrainingNoteRules.WhatIsWrong([note!])));
        Assert.NotNull(TrainingNoteRules.WhatIsWrong(null));
        Assert.NotNull(TrainingNoteRules.WhatIsWrong([]));
        Assert.NotNull(TrainingNoteRules.WhatIsWrong([.. Enumerable.Repeat(Words("x"), Limits.NotesPerMessage + 1)]));
    }

    private static TrainingNote Words(string text) => new(TrainingNoteKind.Message, 1, text, null);

    private static TrainingNote Figures(params (string Name, double Value)[] figures) =>
        new(TrainingNoteKind.Metrics, 1, null, figures.ToDictionary(one => one.Name, one => one.Value));
}
