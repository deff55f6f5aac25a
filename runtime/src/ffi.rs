//! The one place that speaks to librdkafka's C interface: asynchronous `ListOffsets`, commits whose answer comes back, headers
//! whose names are not UTF-8, and records written to a topic that was looked up once, which rust-rdkafka does not wrap.
//!
//! Why not `fetch_watermarks`: it waits for the broker on the worker's thread, once per partition. Why not
//! `Consumer::commit(…, Async)`: rust-rdkafka 0.39 takes commits as events, and librdkafka sends an event for a commit only to a
//! queue that was named with it (`rd_kafka_commit` names none), so `commit_callback` would never be called. Why not
//! `BaseProducer::send`: it looks the topic up by name for every record, and copies its name and that of every header before.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_void};
use std::os::raw::c_int;
use std::ptr;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedHeaders;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka_sys as sys;

/// The answer for one partition: its high watermark, or why there is none.
pub(crate) struct Latest {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: Result<i64, String>,
}

/// Asks for high watermarks without waiting. One request is under way at a time.
pub(crate) struct LatestOffsets {
    queue: *mut sys::rd_kafka_queue_t,
    under_way: bool,
}

// SAFETY: librdkafka's queues may be used from any thread; the pointer is used only through `&mut self`.
unsafe impl Send for LatestOffsets {}

impl LatestOffsets {
    /// A queue of its own for the answers of `consumer`'s client.
    pub(crate) fn new<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> Self {
        // SAFETY: the client outlives this value: the worker owns both and drops the consumer last.
        let queue = unsafe { sys::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Self { queue, under_way: false }
    }

    /// Sends a request for the partitions of `list`, unless one is under way. True when it was sent.
    pub(crate) fn ask<C: ConsumerContext>(
        &mut self,
        consumer: &BaseConsumer<C>,
        list: &mut TopicPartitionList,
        timeout_ms: i32,
    ) -> bool {
        if self.under_way || list.count() == 0 {
            return false;
        }
        // The C interface reads the wanted specification from the offset: -1 is "latest".
        if list.set_all_offsets(rdkafka::Offset::End).is_err() {
            return false;
        }
        let client = consumer.client().native_ptr();
        // SAFETY: all pointers are valid for the call; librdkafka copies the list and the options.
        unsafe {
            let options =
                sys::rd_kafka_AdminOptions_new(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS);
            let mut error = [0_i8; 128];
            sys::rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, error.as_mut_ptr().cast(), error.len());
            sys::rd_kafka_ListOffsets(client, list.ptr(), options, self.queue);
            sys::rd_kafka_AdminOptions_destroy(options);
        }
        self.under_way = true;
        true
    }

    /// The answer, if it has come; an error of the whole request is an answer without partitions.
    pub(crate) fn answer(&mut self) -> Option<Vec<Latest>> {
        if !self.under_way {
            return None;
        }
        // SAFETY: the queue is valid; the event is destroyed below, after everything borrowed from it was copied.
        unsafe {
            let event = sys::rd_kafka_queue_poll(self.queue, 0);
            if event.is_null() {
                return None;
            }
            self.under_way = false;
            let mut found = Vec::new();
            if sys::rd_kafka_event_type(event) == sys::RD_KAFKA_EVENT_LISTOFFSETS_RESULT
                && sys::rd_kafka_event_error(event) == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
            {
                read(sys::rd_kafka_event_ListOffsets_result(event), &mut found);
            }
            sys::rd_kafka_event_destroy(event);
            Some(found)
        }
    }
}

/// Commits without waiting; the answer comes to `commit_callback` in a later poll.
///
/// # Errors
/// When the client has no group, or is closed.
pub(crate) fn commit<C: ConsumerContext>(consumer: &BaseConsumer<C>, list: &TopicPartitionList) -> KafkaResult<()> {
    let client = consumer.client().native_ptr();
    // SAFETY: all pointers are valid for the call; librdkafka copies the list and holds the queue itself until it has answered.
    let error = unsafe {
        let queue = sys::rd_kafka_queue_get_consumer(client);
        let error = sys::rd_kafka_commit_queue(client, list.ptr(), queue, None, ptr::null_mut());
        sys::rd_kafka_queue_destroy(queue);
        error
    };
    if error == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        Ok(())
    } else {
        Err(KafkaError::ConsumerCommit(error.into()))
    }
}

/// Name and value of a header, by its place. rust-rdkafka's own `try_get` panics on a name that is not UTF-8, and anyone may send one.
pub(crate) fn header(headers: &BorrowedHeaders, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
    let list: *const BorrowedHeaders = headers;
    let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
    // SAFETY: a `BorrowedHeaders` is librdkafka's own list seen through a pointer, as in rust-rdkafka; the call only reads it. The
    // name ends in a zero byte, the value has `size` bytes, and both live as long as the list.
    unsafe {
        let error = sys::rd_kafka_header_get_all(list.cast(), index, &raw mut name, &raw mut value, &raw mut size);
        if error != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            return None;
        }
        let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
        Some((CStr::from_ptr(name).to_bytes(), value))
    }
}

/// A topic to write to, looked up once. To be dropped before the producer that it belongs to.
pub(crate) struct Target(*mut sys::rd_kafka_topic_t);

// SAFETY: librdkafka's topics may be used from any thread.
unsafe impl Send for Target {}

impl Target {
    /// Looks a topic up; that it exists is not asked.
    ///
    /// # Errors
    /// When this is no name of a topic.
    pub(crate) fn new<C: ProducerContext>(producer: &BaseProducer<C>, topic: &str) -> KafkaResult<Self> {
        let name = CString::new(topic)?;
        // SAFETY: both pointers are valid for the call; without a configuration the client's own is taken.
        let target = unsafe { sys::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        if target.is_null() { Err(KafkaError::ClientCreation(topic.to_owned())) } else { Ok(Self(target)) }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // SAFETY: made in `new`, destroyed once; records on their way hold the topic themselves.
        unsafe { sys::rd_kafka_topic_destroy(self.0) };
    }
}

/// The headers of a record that is to be written.
pub(crate) struct HeaderList(*mut sys::rd_kafka_headers_t);

// SAFETY: a list is plain memory with one owner.
unsafe impl Send for HeaderList {}

impl HeaderList {
    /// Copies names and values.
    pub(crate) fn new(headers: &[(&str, &[u8])]) -> Self {
        // SAFETY: names and values are copied, with the sizes given.
        unsafe {
            let list = sys::rd_kafka_headers_new(headers.len());
            for (name, value) in headers {
                let (size, length) = (name.len().cast_signed(), value.len().cast_signed());
                // It does not fail: a list that was just made can be written.
                sys::rd_kafka_header_add(list, name.as_ptr().cast(), size, value.as_ptr().cast(), length);
            }
            Self(list)
        }
    }
}

impl Drop for HeaderList {
    fn drop(&mut self) {
        // SAFETY: made in `new` and not given away, else it would have been forgotten.
        unsafe { sys::rd_kafka_headers_destroy(self.0) };
    }
}

/// Hands a record to the producer, which copies key and value. `opaque` comes back with the acknowledgement.
///
/// # Errors
/// When the producer refuses the record.
pub(crate) fn produce<C: ProducerContext>(
    producer: &BaseProducer<C>,
    (target, partition): (&Target, i32),
    key: Option<&[u8]>,
    headers: HeaderList,
    value: Option<&[u8]>,
    opaque: usize,
) -> Result<(), RDKafkaErrorCode> {
    use sys::rd_kafka_vtype_t as Is;
    let argument = |vtype: Is, u: sys::rd_kafka_vu_s__bindgen_ty_1| sys::rd_kafka_vu_t { vtype, u };
    let bytes = |bytes: Option<&[u8]>| {
        let (ptr, size) = bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr(), bytes.len()));
        let mem = sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr: ptr.cast_mut().cast::<c_void>(), size };
        sys::rd_kafka_vu_s__bindgen_ty_1 { mem }
    };
    let arguments = [
        argument(Is::RD_KAFKA_VTYPE_RKT, sys::rd_kafka_vu_s__bindgen_ty_1 { rkt: target.0 }),
        argument(Is::RD_KAFKA_VTYPE_PARTITION, sys::rd_kafka_vu_s__bindgen_ty_1 { i32_: partition }),
        argument(
            Is::RD_KAFKA_VTYPE_MSGFLAGS,
            sys::rd_kafka_vu_s__bindgen_ty_1 { i: sys::RD_KAFKA_MSG_F_COPY as c_int },
        ),
        argument(Is::RD_KAFKA_VTYPE_KEY, bytes(key)),
        argument(Is::RD_KAFKA_VTYPE_VALUE, bytes(value)),
        argument(Is::RD_KAFKA_VTYPE_HEADERS, sys::rd_kafka_vu_s__bindgen_ty_1 { headers: headers.0 }),
        argument(
            Is::RD_KAFKA_VTYPE_OPAQUE,
            sys::rd_kafka_vu_s__bindgen_ty_1 { ptr: ptr::without_provenance_mut(opaque) },
        ),
    ];
    // SAFETY: each argument holds the member of the union that its type names; key and value live as long as the call, which
    // copies them. The list of headers is the producer's when it took the record, and ours when it did not.
    unsafe {
        let error = sys::rd_kafka_produceva(producer.client().native_ptr(), arguments.as_ptr(), arguments.len());
        if error.is_null() {
            std::mem::forget(headers);
            return Ok(());
        }
        let code = sys::rd_kafka_error_code(error);
        sys::rd_kafka_error_destroy(error);
        Err(code.into())
    }
}

/// Copies the partitions of a result.
///
/// # Safety
/// `result` must be null or point to a live result.
unsafe fn read(result: *const sys::rd_kafka_ListOffsets_result_t, found: &mut Vec<Latest>) {
    if result.is_null() {
        return;
    }
    let mut count: usize = 0;
    // SAFETY: the array has `count` valid entries that live as long as the result.
    unsafe {
        let infos = sys::rd_kafka_ListOffsets_result_infos(result, &raw mut count);
        for index in 0..count {
            let info = *infos.add(index);
            let partition = sys::rd_kafka_ListOffsetsResultInfo_topic_partition(info);
            if partition.is_null() {
                continue;
            }
            let code = (*partition).err;
            let offset = if (*partition).offset < 0 {
                // A request that times out is given back as it was asked, -1 for "latest", and without an error.
                Err("no answer in time".to_owned())
            } else if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                Ok((*partition).offset)
            } else {
                Err(CStr::from_ptr(sys::rd_kafka_err2str(code)).to_string_lossy().into_owned())
            };
            let topic = CStr::from_ptr((*partition).topic).to_string_lossy().into_owned();
            found.push(Latest { topic, partition: (*partition).partition as c_int, offset });
        }
    }
}

impl Drop for LatestOffsets {
    fn drop(&mut self) {
        if !self.queue.is_null() {
            // SAFETY: created in `new`, destroyed once.
            unsafe { sys::rd_kafka_queue_destroy(self.queue) };
            self.queue = ptr::null_mut();
        }
    }
}

/// As if the group had given the client's static name to another.
#[cfg(test)]
pub(crate) fn fence(consumer: &crate::consumer::Source) {
    let code = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    // SAFETY: the client lives as long as the borrow, and the text as long as the program.
    unsafe { sys::rd_kafka_test_fatal_error(consumer.client().native_ptr(), code, c"fenced".as_ptr()) };
}
