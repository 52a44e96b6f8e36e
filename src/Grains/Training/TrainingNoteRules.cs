using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training;

/// <summary>Notes come from agents: hostile until looked at.</summary>
public static class TrainingNoteRules
{
    /// <summary>What is wrong with them, in words; null when nothing is.</summary>
    public static string? WhatIsWrong(IReadOnlyList<TrainingNote>? notes)
    {
        if (notes is null || notes.Count is 0 or > Limits.NotesPerMessage)
            return $"A message has 1 to {Limits.NotesPerMessage} notes.";
        for (var i = 0; i < notes.Count; i++)
        {
            if (notes[i] is not { } note)
                return $"Note {i} is null.";
            if (note.Step < 0 || !Enum.IsDefined(note.Kind))
                return $"Note {i} has no step or kind.";
            var wrong = note.Kind == TrainingNoteKind.Metrics ? Metrics(note) : Words(note);
            if (wrong is not null)
                return $"Note {i} {wrong}";
        }
        return null;
    }

    private static string? Words(TrainingNote note)
    {
        if (note.Metrics is not null)
            return "has words and figures: one of the two.";
        return note.Text is { Length: > 0 and <= Limits.NoteCharacters } text && !text.Contains('\0')
            ? null
            : $"needs a text of at most {Limits.NoteCharacters} characters.";
    }

    private static string? Metrics(TrainingNote note)
    {
        if (note.Text is not null)
            return "has figures and words: one of the two.";
        if (note.Metrics is not { Count: > 0 and <= Limits.MetricsPerNote } metrics)
            return $"needs 1 to {Limits.MetricsPerNote} figures.";
        foreach (var (name, value) in metrics)
        {
            if (name.Length is 0 or > Limits.MetricNameCharacters || !name.All(IsOfName))
                return $"has a figure whose name is not 1 to {Limits.MetricNameCharacters} of a-z, 0-9 and _.";
            if (!double.IsFinite(value))
                return $"has no number as {name}.";
        }
        return null;
    }

    private static bool IsOfName(char c) => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_';
}
