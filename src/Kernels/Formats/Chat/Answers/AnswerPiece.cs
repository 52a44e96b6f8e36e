namespace EgpuFleet.Kernels.Formats.Chat.Answers;

/// <summary>A piece of an answer, sorted out.</summary>
public abstract record AnswerPiece;

/// <summary>Text for whoever asked.</summary>
public sealed record Said(string Text) : AnswerPiece;

/// <summary>Text of the model's thinking.</summary>
public sealed record Thought(string Text) : AnswerPiece;

/// <summary>A tool is called; its arguments follow.</summary>
/// <param name="Call">Index of the call in the answer.</param>
/// <param name="Name">Of the function.</param>
public sealed record Called(int Call, string Name) : AnswerPiece;

/// <summary>The next part of a call's arguments, which together are JSON unless the answer was cut off.</summary>
public sealed record Argued(int Call, string Text) : AnswerPiece;
