namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>Something about one line of a training file that its owner should know.</summary>
/// <param name="Line">Number of the line, from 1; 0 where it is about the file as a whole.</param>
/// <param name="Code">One of <see cref="TrainingFault"/>: stable, for programs.</param>
/// <param name="Message">What is the matter, for people.</param>
/// <param name="Suggestion">What to do about it.</param>
/// <param name="IsError">Whether the file cannot be trained on; else it is a warning.</param>
public sealed record TrainingFinding(int Line, string Code, string Message, string Suggestion, bool IsError);
