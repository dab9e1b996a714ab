//! The filter that the kernel runs on each packet: only what can be an answer to us is copied into the ring.
//!
//! Classic BPF over packets that start at the network header. What passes is still parsed and checked in full.

use crate::sys::packet::Instruction;

/// Bytes of a packet that are kept: an ICMP error over IPv6 with the start of what it answers.
const KEEP: u32 = 160;

// Opcodes of linux/bpf_common.h.
const LD_WORD: u16 = 0x20;
const LD_HALF: u16 = 0x28;
const LD_BYTE: u16 = 0x30;
const LD_HALF_X: u16 = 0x48;
const LD_BYTE_X: u16 = 0x50;
const LDX_HEADER_LENGTH: u16 = 0xb1;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER_EQUAL: u16 = 0x35;
const JUMP_GREATER: u16 = 0x25;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;
/// The Ethernet protocol as the kernel tells it (`SKF_AD_OFF + SKF_AD_PROTOCOL`).
const ANCILLARY_PROTOCOL: u32 = 0xffff_f000;

/// A place in the program under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Next,
    Drop,
    Keep,
    Ip4,
    Ip4Icmp,
    Ip6,
    Ip6Icmp,
}

#[derive(Default)]
struct Program {
    code: Vec<(u16, u32, To, To)>,
    labels: Vec<(To, usize)>,
}

impl Program {
    fn label(&mut self, label: To) {
        self.labels.push((label, self.code.len()));
    }

    fn then(&mut self, code: u16, operand: u32) {
        self.code.push((code, operand, To::Next, To::Next));
    }

    fn jump(&mut self, code: u16, operand: u32, yes: To, no: To) {
        self.code.push((code, operand, yes, no));
    }

    fn assemble(mut self) -> Vec<Instruction> {
        self.label(To::Keep);
        self.then(RETURN, KEEP);
        self.label(To::Drop);
        self.then(RETURN, 0);
        let distance = |from: usize, to: To| -> u8 {
            let place = self.labels.iter().find(|(label, _)| *label == to).map_or(from + 1, |(_, place)| *place);
            u8::try_from(place - from - 1).unwrap_or_else(|_| unreachable!("the program has under 60 instructions"))
        };
        let place = |from: usize, to: To| if to == To::Next { 0 } else { distance(from, to) };
        (self.code.iter().enumerate())
            .map(|(at, (code, operand, yes, no))| Instruction {
                code: *code,
                jump_true: place(at, *yes),
                jump_false: place(at, *no),
                operand: *operand,
            })
            .collect()
    }
}

/// Passes TCP to `first_port ..= last_port`, ICMP errors and echo replies, ARP and neighbour advertisements.
pub fn program(first_port: u16, last_port: u16) -> Vec<Instruction> {
    let (first, last) = (u32::from(first_port), u32::from(last_port));
    let mut p = Program::default();
    p.then(LD_WORD, ANCILLARY_PROTOCOL);
    p.jump(JUMP_EQUAL, 0x0800, To::Ip4, To::Next);
    p.jump(JUMP_EQUAL, 0x86dd, To::Ip6, To::Next);
    p.jump(JUMP_EQUAL, 0x0806, To::Keep, To::Drop);

    p.label(To::Ip4);
    p.then(LD_HALF, 6);
    // Only first fragments have ports.
    p.jump(JUMP_SET, 0x1fff, To::Drop, To::Next);
    p.then(LDX_HEADER_LENGTH, 0);
    p.then(LD_BYTE, 9);
    p.jump(JUMP_EQUAL, 1, To::Ip4Icmp, To::Next);
    p.jump(JUMP_EQUAL, 6, To::Next, To::Drop);
    p.then(LD_HALF_X, 2);
    p.jump(JUMP_GREATER_EQUAL, first, To::Next, To::Drop);
    p.jump(JUMP_GREATER, last, To::Drop, To::Keep);

    p.label(To::Ip4Icmp);
    p.then(LD_BYTE_X, 0);
    p.jump(JUMP_EQUAL, 0, To::Keep, To::Next);
    p.jump(JUMP_EQUAL, 3, To::Keep, To::Drop);

    p.label(To::Ip6);
    p.then(LD_BYTE, 6);
    p.jump(JUMP_EQUAL, 58, To::Ip6Icmp, To::Next);
    // Extension headers: what follows them is found by the reader.
    for header in [0, 43, 60, 44] {
        p.jump(JUMP_EQUAL, header, To::Keep, To::Next);
    }
    p.jump(JUMP_EQUAL, 6, To::Next, To::Drop);
    p.then(LD_HALF, 42);
    p.jump(JUMP_GREATER_EQUAL, first, To::Next, To::Drop);
    p.jump(JUMP_GREATER, last, To::Drop, To::Keep);

    p.label(To::Ip6Icmp);
    p.then(LD_BYTE, 40);
    p.jump(JUMP_EQUAL, 1, To::Keep, To::Next);
    p.jump(JUMP_EQUAL, 129, To::Keep, To::Next);
    p.jump(JUMP_EQUAL, 136, To::Keep, To::Drop);
    p.assemble()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's interpreter, as far as the program uses it. Returns how many bytes are kept.
    fn interpret(program: &[Instruction], protocol: u32, packet: &[u8]) -> u32 {
        let byte = |at: u32| packet.get(at as usize).map(|b| u32::from(*b));
        let half = |at: u32| Some(byte(at)? << 8 | byte(at + 1)?);
        let (mut a, mut x, mut at) = (0, 0, 0);
        loop {
            let i = program[at];
            at += 1;
            let jump = |yes: bool| usize::from(if yes { i.jump_true } else { i.jump_false });
            let loaded = match i.code {
                LD_WORD => Some(protocol),
                LD_HALF => half(i.operand),
                LD_BYTE => byte(i.operand),
                LD_HALF_X => half(x + i.operand),
                LD_BYTE_X => byte(x + i.operand),
                LDX_HEADER_LENGTH => {
                    x = byte(i.operand).map_or(0, |b| (b & 15) * 4);
                    continue;
                }
                RETURN => return i.operand,
                JUMP_EQUAL => {
                    at += jump(a == i.operand);
                    continue;
                }
                JUMP_GREATER => {
                    at += jump(a > i.operand);
                    continue;
                }
                JUMP_GREATER_EQUAL => {
                    at += jump(a >= i.operand);
                    continue;
                }
                JUMP_SET => {
                    at += jump(a & i.operand != 0);
                    continue;
                }
                other => panic!("opcode {other:#x}"),
            };
            // A load beyond the packet drops it.
            let Some(value) = loaded else { return 0 };
            a = value;
        }
    }

    #[test]
    fn answers_pass_and_the_rest_is_dropped() {
        let program = program(40_000, 40_063);
        let mut tcp4 = vec![0_u8; 40];
        (tcp4[0], tcp4[9]) = (0x45, 6);
        let port = |packet: &mut Vec<u8>, at: usize, port: u16| packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
        for (number, kept) in [(39_999, 0), (40_000, KEEP), (40_063, KEEP), (40_064, 0)] {
            port(&mut tcp4, 22, number);
            assert_eq!(interpret(&program, 0x0800, &tcp4), kept, "{number}");
        }
        port(&mut tcp4, 22, 40_000);
        let mut options = tcp4.clone();
        options[0] = 0x46;
        options.splice(20..20, [1, 1, 1, 1]);
        assert_eq!(interpret(&program, 0x0800, &options), KEEP);
        tcp4[7] = 1; // not the first fragment
        assert_eq!(interpret(&program, 0x0800, &tcp4), 0);

        let mut tcp6 = vec![0_u8; 60];
        (tcp6[0], tcp6[6]) = (0x60, 6);
        port(&mut tcp6, 42, 40_010);
        assert_eq!(interpret(&program, 0x86dd, &tcp6), KEEP);
        for (kind, kept) in [(1, KEEP), (129, KEEP), (136, KEEP), (128, 0), (135, 0), (2, 0)] {
            (tcp6[6], tcp6[40]) = (58, kind);
            assert_eq!(interpret(&program, 0x86dd, &tcp6), kept, "ICMPv6 {kind}");
        }
        for (header, kept) in [(0, KEEP), (43, KEEP), (44, KEEP), (60, KEEP), (17, 0), (59, 0)] {
            tcp6[6] = header;
            assert_eq!(interpret(&program, 0x86dd, &tcp6), kept, "next header {header}");
        }
        let mut icmp4 = vec![0_u8; 28];
        (icmp4[0], icmp4[9]) = (0x45, 1);
        for (kind, kept) in [(0, KEEP), (3, KEEP), (8, 0), (11, 0)] {
            icmp4[20] = kind;
            assert_eq!(interpret(&program, 0x0800, &icmp4), kept, "ICMP {kind}");
        }
        assert_eq!(interpret(&program, 0x0806, &[0; 28]), KEEP);
        assert_eq!(interpret(&program, 0x8100, &[0; 60]), 0);
        assert_eq!(interpret(&program, 0x0800, &[0x45]), 0);
    }
}
