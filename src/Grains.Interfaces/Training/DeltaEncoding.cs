namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>How the difference that a member contributes is written. On the wire in snake_case; stored as its number: append, never renumber.</summary>
public enum DeltaEncoding
{
    /// <summary>As it is: for tests of equality.</summary>
    F32,

    /// <summary>Half-precision floats.</summary>
    F16,

    /// <summary>
    /// Bytes from -127 to 127 times a scale for each row: <c>NAME</c> of type U8, and <c>NAME.scale</c>, 32-bit floats, one
    /// for each row. A row is what the first dimension counts; a vector is one row.
    /// </summary>
    Int8,
}
