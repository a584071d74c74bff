//! The thumbnail of the emulated inputs.

/// A grey picture of 8 by 8 pixels, as a baseline JPEG: every quantizer is 1, one DC code and one AC code.
pub fn picture() -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    out.extend([
        0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0,
    ]);
    out.extend([0xff, 0xdb, 0, 67, 0]);
    out.extend([1; 64]);
    out.extend([0xff, 0xc0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    for table in [0x00, 0x10] {
        out.extend([0xff, 0xc4, 0, 20, table, 1]);
        out.extend([0; 15]);
        out.push(0);
    }
    // The scan: DC category 0, end of block, padding.
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0x00, 0, 63, 0, 0x3f, 0xff, 0xd9]);
    out
}
